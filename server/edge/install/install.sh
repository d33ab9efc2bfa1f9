#!/bin/sh
# Makes this machine an edge node of @URL@:
#   curl -fsSL @URL@/edge/v1/install.sh | sudo sh -s -- --token TOKEN [--name NAME] [--site SITE] [--label K=V]...
# It fetches the agent, checks it against the portal's sum, makes an account and
# units, and enrols. Running it again replaces the program and keeps the identity.
set -eu

main() {
    url='@URL@'
    [ "$(id -u)" = 0 ] || { echo "Please run as root: put sudo before sh." >&2; exit 1; }
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) kind=linux-amd64 ;;
        Linux-aarch64) kind=linux-arm64 ;;
        *) echo "There is no agent for $(uname -s) on $(uname -m)." >&2; exit 1 ;;
    esac
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    get "$url/edge/v1/agent/$kind" "$work/signalbox-agent"
    get "$url/edge/v1/agent/$kind.sha256" "$work/sum"
    read -r sum _ <"$work/sum"
    echo "$sum  $work/signalbox-agent" | sha256sum -c --quiet - || { echo "The agent arrived damaged. Try again." >&2; exit 1; }
    install -m 0755 "$work/signalbox-agent" /usr/local/bin/signalbox-agent
    getent passwd signalbox-agent >/dev/null || useradd --system --no-create-home --home-dir /var/lib/signalbox-agent --shell /usr/sbin/nologin signalbox-agent
    install -d -m 0755 /var/lib/signalbox-agent
    [ -e /var/lib/signalbox-agent/net/node.json ] || /usr/local/bin/signalbox-agent enroll --url "$url" "$@"
    if [ -d /run/systemd/system ]; then
        units
        systemctl daemon-reload
        systemctl enable --now signalbox-agent-worker.socket signalbox-agent-worker.service signalbox-agent.service
        systemctl restart signalbox-agent.service
    else
        echo "There is no systemd here. Start the two halves yourself: signalbox-agent worker, and signalbox-agent run." >&2
    fi
    signalbox-agent doctor || true
}

get() {
    if command -v curl >/dev/null; then
        curl -fsSL --retry 3 -o "$2" "$1"
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1"
    else
        echo "Neither curl nor wget is here to fetch the agent with." >&2
        exit 1
    fi
}

units() {
@UNITS@}

# Last, so that half a script that arrived does nothing.
main "$@"
