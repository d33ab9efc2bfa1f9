#!/bin/sh
# with-postgres.sh COMMAND…: run COMMAND with TEST_POSTGRES_URL naming a
# PostgreSQL of its own on a free port, gone afterwards.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
dir=$(mktemp -d)
chmod 755 "$dir"
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown postgres "$dir"
as "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
# A port that nobody listens on: let the kernel choose one.
port=$(node -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
stop() { as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap stop EXIT INT TERM
as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/data/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_connections=600 -c shared_buffers=64MB" start >/dev/null
TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" "$@"
