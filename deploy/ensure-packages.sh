#!/bin/sh
# ensure-packages.sh run|test|soak: install with apt what is missing for running,
# for testing Signalbox, or for its long tests. Go and Node are the two things it cannot bring.
set -eu
want=${1:-run}
missing=
need() { # need PROGRAM-OR-FILE PACKAGE
    case $1 in
        /*) ls $1 >/dev/null 2>&1 || missing="$missing $2" ;;
        *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2" ;;
    esac
}
command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl" >&2; exit 1; }
command -v node >/dev/null || { echo "Node 20.19 or newer is needed: https://nodejs.org" >&2; exit 1; }
need git git
need runc runc
need bwrap bubblewrap
need nft nftables
need ip iproute2
need slirp4netns slirp4netns
need newuidmap uidmap
if [ "$want" != run ]; then
    need chromium chromium
    need chromium-headless-shell chromium-headless-shell
    need '/usr/lib/postgresql/*/bin/initdb' postgresql
    need ssh openssh-client
    need ps procps
    need runuser util-linux
    need perl perl-base
    need busybox busybox-static
    need python3 python3
    need jq jq
    need curl curl
    need openssl openssl
    need /usr/lib/python3/dist-packages/sentry_sdk python3-sentry-sdk
    need dnf dnf
    need rpm rpm
fi
if [ "$want" = soak ]; then
    need createrepo_c createrepo-c
    need debootstrap debootstrap
    need mkfs.btrfs btrfs-progs
    need systemd-nspawn systemd-container
fi
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then sudo=; elif command -v sudo >/dev/null; then sudo=sudo; else
    echo "Please install as root: apt-get install$missing" >&2
    [ "$want" = run ] && exit 0 || exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# A cluster of our own is started by the tests; Debian's default one would only use memory.
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
