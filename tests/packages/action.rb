# The steps of the composite action as one bash script, with its inputs from the arguments NAME=VALUE:
#   ruby action.rb ACTION_YML NAME=VALUE...
# Of expressions, those are known that the action uses.
require "shellwords"
require "yaml"

action = YAML.load_file(ARGV.shift)
given = ARGV.to_h { |argument| argument.split("=", 2) }
unknown = given.keys - action["inputs"].keys
abort "no such input: #{unknown.join(", ")}" unless unknown.empty?

value = lambda do |expression|
  case expression
  when /\A'([^']*)'\z/ then $1
  when /\Ainputs\.(\w+)\z/ then given[$1] || action["inputs"].fetch($1)["default"].to_s
  when /\Agithub\.action_ref\z/ then "v1"
  when /\Agithub\.action_path\z/ then Dir.pwd + "/.github"
  when /\A(.*?) \|\| (.*)\z/
    first, second = $1, $2
    found = value.call(first)
    found.empty? ? value.call(second) : found
  when /\Aformat\(/ then abort "the input releases is needed"
  else abort "unknown expression: #{expression}"
  end
end

action["runs"]["steps"].each do |step|
  abort "not bash: #{step}" unless step["shell"] == "bash"
  environment = step["env"].map do |name, text|
    filled = text.gsub(/\$\{\{ (.*?) \}\}/) { value.call($1) }
    "#{name}=#{filled.shellescape}"
  end
  puts "env #{environment.join(" ")} bash --noprofile --norc -eo pipefail -c #{step["run"].shellescape}"
end
