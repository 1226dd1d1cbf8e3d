// Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
import fs from 'fs'
import pg from 'pg'
import postgres from 'postgres'
import knex from 'knex'
import typeorm from 'typeorm'
import { Sequelize } from 'sequelize'
import { PrismaPg } from '@prisma/adapter-pg'

const QUERY = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
// An object is JavaScript, anything else a URL.
const settings = (text) => (text.startsWith('{') ? new Function('fs', `return (${text})`)(fs) : text)
const drivers = {
  'node-postgres': async (text) => {
    const given = settings(text)
    const client = new pg.Client(given === text ? { connectionString: text } : given)
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
    const given = settings(text)
    const own = { max: 1, connect_timeout: 20 }
    const sql = given === text ? postgres(text, own) : postgres({ ...given, ...own })
    try {
      return (await sql.unsafe(QUERY))[0].ssl
    } finally {
      await sql.end({ timeout: 1 })
    }
  },
  knex: async (text) => {
    const db = knex({ client: 'pg', connection: settings(text), pool: { min: 0, max: 1 } })
    try {
      return (await db.raw(QUERY)).rows[0].ssl
    } finally {
      await db.destroy()
    }
  },
  typeorm: async (text) => {
    const given = settings(text)
    const source = new typeorm.DataSource({ type: 'postgres', ...(given === text ? { url: text } : given) })
    await source.initialize()
    try {
      return (await source.query(QUERY))[0].ssl
    } finally {
      await source.destroy()
    }
  },
  sequelize: async (text) => {
    const given = settings(text)
    const own = { dialect: 'postgres', logging: false }
    const db = given === text ? new Sequelize(text, own) : new Sequelize({ ...own, ...given })
    try {
      return (await db.query(QUERY))[0][0].ssl
    } finally {
      await db.close()
    }
  },
  prisma: async (text) => {
    const adapter = await new PrismaPg({ connectionString: text }).connect()
    try {
      const found = await adapter.queryRaw({ sql: QUERY.replace('ssl', 'ssl::text'), args: [], argTypes: [] })
      return found.rows[0][0] === 'true'
    } finally {
      await adapter.dispose()
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
