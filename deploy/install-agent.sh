#!/bin/sh
# install-agent.sh BINARY --url URL --token TOKEN [more of signalbox-agent enroll]
# Makes this machine an edge node: program, account, units, enrolment. Running it
# again replaces the program and keeps the node's identity.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 BINARY --url URL --token TOKEN [--site SITE] [--label K=V]..." >&2; exit 64; }
[ "$(id -u)" = 0 ] || { echo "Please run as root." >&2; exit 1; }
binary=$1; shift
here=$(cd "$(dirname "$0")" && pwd)
install -m 0755 "$binary" /usr/local/bin/signalbox-agent
getent passwd signalbox-agent >/dev/null || useradd --system --no-create-home --home-dir /var/lib/signalbox-agent --shell /usr/sbin/nologin signalbox-agent
install -d -m 0755 /var/lib/signalbox-agent
for unit in signalbox-agent.service signalbox-agent-worker.socket signalbox-agent-worker.service; do
    install -m 0644 "$here/systemd/$unit" "/etc/systemd/system/$unit"
done
[ -e /var/lib/signalbox-agent/net/node.json ] || /usr/local/bin/signalbox-agent enroll "$@"
systemctl daemon-reload
systemctl enable --now signalbox-agent-worker.socket signalbox-agent-worker.service signalbox-agent.service
systemctl restart signalbox-agent.service
signalbox-agent doctor || true
