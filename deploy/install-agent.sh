#!/bin/sh
# install-agent.sh BINARY [--sha256 SUM] --url URL --token TOKEN [more of signalbox-agent enroll]
# Makes this machine an edge node from files that were carried here: program,
# account, units, enrolment. With a network, the portal's own script does the
# same: curl -fsSL URL/edge/v1/install.sh | sh -s -- --token TOKEN
# The program is checked against SUM, or against BINARY.sha256 where that lies
# beside it. Running it again replaces the program and keeps the node's identity.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 BINARY [--sha256 SUM] --url URL --token TOKEN [--site SITE] [--label K=V]..." >&2; exit 64; }
[ "$(id -u)" = 0 ] || { echo "Please run as root." >&2; exit 1; }
binary=$1; shift
here=$(cd "$(dirname "$0")" && pwd)
sum=
if [ "${1:-}" = --sha256 ]; then sum=$2; shift 2; elif [ -e "$binary.sha256" ]; then read -r sum _ <"$binary.sha256"; fi
if [ -n "$sum" ]; then
    echo "$sum  $binary" | sha256sum -c --quiet - || { echo "The program is not the one that its sum means; nothing was changed." >&2; exit 1; }
fi
# Into place by a rename: a program that runs cannot be written to.
install -m 0755 "$binary" /usr/local/bin/.signalbox-agent.new
mv -f /usr/local/bin/.signalbox-agent.new /usr/local/bin/signalbox-agent
getent passwd signalbox-agent >/dev/null || useradd --system --no-create-home --home-dir /var/lib/signalbox-agent --shell /usr/sbin/nologin signalbox-agent
install -d -m 0755 /var/lib/signalbox-agent
for unit in signalbox-agent.service signalbox-agent-worker.socket signalbox-agent-worker.service; do
    install -m 0644 "$here/systemd/$unit" "/etc/systemd/system/$unit"
done
[ -e /var/lib/signalbox-agent/net/node.json ] || /usr/local/bin/signalbox-agent enroll "$@"
systemctl enable --quiet signalbox-agent-worker.socket signalbox-agent-worker.service signalbox-agent.service
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl start signalbox-agent-worker.socket signalbox-agent-worker.service
    systemctl restart signalbox-agent.service
else
    echo "systemd does not run here; the agent begins with the next start of this machine." >&2
fi
/usr/local/bin/signalbox-agent doctor || true
