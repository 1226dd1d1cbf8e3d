# Sourced by the scripts that run the program on other platforms: a real server, and what a run of the program is to give.
# The caller sets `work`, a directory of its own with server.crt and server.key in it.

readonly postgres=/usr/lib/postgresql/15/bin

passed=0 failed=0 server=

# make_certificates HOST: a root, root.crt, and a certificate for the host that it issued, server.crt with server.key.
make_certificates() {
    (
        cd "$work"
        openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 30 -subj '/CN=Test Root CA' \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj '/CN=server'
        openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -out server.crt -days 20 -extfile <(
            printf 'subjectAltName=DNS:%s\nbasicConstraints=CA:FALSE\n' "$1")
    ) 2>/dev/null
}

# Starts PostgreSQL with TLS on the loopback port that `port` then holds. Its user myadmin has the password Secr3t!x.
start_server() {
    local as=() data=$work/data
    chmod 755 "$work"
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then
        chown postgres "$data"
        as=(runuser -u postgres --)
    fi
    # Elsewhere than in a directory of somebody else's.
    cd "$work"
    "${as[@]}" $postgres/initdb -D "$data" -U postgres -A trust --no-sync >/dev/null
    cp server.crt server.key "$data/"
    [ "$(id -u)" != 0 ] || chown postgres "$data"/server.*
    chmod 600 "$data/server.key"
    printf "hostssl all all all scram-sha-256\nlocal all all trust\n" >"$data/pg_hba.conf"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "${as[@]}" $postgres/postgres -D "$data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$data" \
        -c ssl=on -c fsync=off >"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        ! "${as[@]}" $postgres/pg_isready -q -h "$data" -p "$port" || break
        sleep 0.1
    done
    "${as[@]}" $postgres/psql -q -h "$data" -p "$port" -U postgres -c "CREATE ROLE myadmin LOGIN PASSWORD 'Secr3t!x'" postgres
    cd - >/dev/null
}

stop_server() {
    # The first line of its lock file is the server's own process, which a wrapper started.
    [ ! -e "$work/data/postmaster.pid" ] || kill -INT "$(head -n 1 "$work/data/postmaster.pid")" || true
    [ -z "$server" ] || wait "$server" 2>/dev/null || true
}

# Exit status, code and warnings of a check by the given command; one that fails is no failure here.
summary_of() {
    { timeout 120 "$@" --format json 2>/dev/null || true; } |
        jq -r '[.exit_code, .diagnosis.code, (.warnings | map(.code) | sort)] | tojson'
}

# demo_faults EXCEPT PROGRAM...: whether every demo fault has the codes and the exit status that it has on the system that
# builds. EXCEPT is a pattern of those that cannot be: a|b.
demo_faults() {
    local except=$1 native=$build/debug/pgtls-check fault here there
    shift
    cargo build --locked --quiet
    for fault in '' $("$native" demo --list | awk '/^[a-z]/ { print $1 }'); do
        [[ ! $fault =~ ^($except)$ ]] || continue
        here=$(without_variables summary_of "$native" demo $fault)
        there=$(without_variables summary_of "$@" demo $fault)
        expect "demo $fault: $here, there $there" test "$here" = "$there"
    done
}

without_variables() (
    unset PGHOSTADDR PGPORT
    "$@"
)

# What `run` of the caller left in `status` and `output`.
exits() { [ "$status" = "$1" ]; }
said() { grep -qF -- "$1" <<<"$output"; }
not_said() { ! said "$1"; }

# expect WHAT COMMAND...: counts whether the command succeeds, and shows the last output where it does not.
expect() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s (%s)\n%s\n' "$what" "$*" "exit ${status-}: ${output-}" | head -n 40
    fi
}

summary() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
