# Connects with each string of a file and says what came of it, a line each.
require 'pg'
STDOUT.sync = true
File.foreach(ARGV[0], chomp: true) do |text|
  connection = PG.connect(text)
  found = connection.exec('select ssl from pg_stat_ssl where pid = pg_backend_pid()')[0]['ssl']
  connection.close
  puts found == 't' ? 'tls' : 'plaintext'
rescue StandardError => error
  puts "refused #{error.message.split.join(' ')}"
end
