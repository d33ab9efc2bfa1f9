package debian

import "github.com/signalbox/signalbox/agents/bundle/version"

// Compare orders two versions as dpkg does: epoch, upstream version, revision. It is
// the agent's own order, so that both mean the same by newer.
func Compare(a, b string) int { return version.Deb(a, b) }
