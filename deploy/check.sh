#!/bin/sh
# check.sh: what lies in deploy/, each by its own tool; a tool that is missing is said, and no fault.
set -eu
cd "$(dirname "$0")"
failed=0
try() { # try TOOL COMMAND…
    tool=$1; shift
    if ! command -v "$tool" >/dev/null 2>&1; then echo "not checked, $tool is missing: $*"; return; fi
    if out=$("$@" 2>&1); then echo "ok: $*"; else echo "FAILED: $*"; echo "$out"; failed=1; fi
}
several="replicas=3,database.existingSecret=db,key.existingSecret=key,autoscaling.enabled=true,ingress.enabled=true,ingress.host=a.example.com,ingress.tlsSecret=tls,metrics.serviceMonitor=true"
try helm helm lint --strict helm/signalbox
try helm helm template x helm/signalbox --kube-version 1.31.0
try helm helm template x helm/signalbox --kube-version 1.31.0 --set "$several"
try helm sh -c '! helm template x helm/signalbox --kube-version 1.31.0 --set replicas=2'
try promtool promtool check rules monitoring/rules.yaml
try promtool promtool test rules monitoring/rules_test.yaml
if docker compose version >/dev/null 2>&1; then
    try docker docker compose -f compose.yaml config -q
    try docker docker compose -f compose.yaml -f compose.worker.yaml config -q
else
    echo "not checked, docker compose is missing: compose.yaml"
fi
try python3 python3 -m json.tool monitoring/dashboard.json /dev/null
# Of the units only what they say themselves: their programs need not be installed here.
for unit in systemd/*.service systemd/*.socket; do
    try systemd-analyze sh -c "! systemd-analyze verify --man=no $unit 2>&1 | grep -v 'is not executable' | grep ${unit##*/}"
done
for script in deb/postinst deb/prerm deb/postrm *.sh; do try sh sh -n "$script"; done
exit $failed
