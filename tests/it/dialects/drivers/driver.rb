# Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
require 'active_record' if ARGV[0] == 'rails'
require 'pg'
QUERY = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'.freeze
STDOUT.sync = true
File.foreach(ARGV[1], chomp: true) do |text|
  if ARGV[0] == 'rails'
    ActiveRecord::Base.establish_connection(text)
    puts ActiveRecord::Base.connection.select_value(QUERY) ? 'tls' : 'plaintext'
    next
  end
  connection = PG.connect(text)
  found = connection.exec(QUERY)[0]['ssl']
  connection.close
  puts found == 't' ? 'tls' : 'plaintext'
rescue StandardError => error
  puts "refused #{error.message.split.join(' ')}"
end
