// Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
import fs from 'fs'
import pg from 'pg'
import postgres from 'postgres'

const QUERY = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
const drivers = {
  'node-postgres': async (text) => {
    const client = new pg.Client({ connectionString: text })
    client.on('error', () => {})
    try {
      await client.connect()
      return (await client.query(QUERY)).rows[0].ssl
    } finally {
      // Of a connection that failed this may never come.
      const ended = client.end().catch(() => {})
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 200))])
    }
  },
  'postgres.js': async (text) => {
    const sql = postgres(text, { max: 1, connect_timeout: 20 })
    try {
      return (await sql.unsafe(QUERY))[0].ssl
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
}
// What a driver throws where nobody can catch it is a refusal too.
let fail = () => {}
process.on('uncaughtException', (error) => fail(error))
process.on('unhandledRejection', () => {})
for (const text of fs.readFileSync(process.argv[3], 'utf8').split('\n').filter((line) => line)) {
  try {
    const thrown = new Promise((_, reject) => (fail = reject))
    console.log((await Promise.race([drivers[process.argv[2]](text), thrown])) ? 'tls' : 'plaintext')
  } catch (error) {
    console.log('refused', String(error.message || error).replace(/\s+/g, ' '))
  }
}
process.exit(0)
