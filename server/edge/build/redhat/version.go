package redhat

import (
	"strings"

	"github.com/signalbox/signalbox/agents/bundle/version"
)

// Compare orders epoch:version-release as rpm does, and as the agent does.
func Compare(a, b string) int { return version.RPM(a, b) }

func split(evr string) (epoch, version, release string) {
	if before, after, found := strings.Cut(evr, ":"); found {
		epoch, evr = before, after
	}
	if i := strings.LastIndexByte(evr, '-'); i >= 0 {
		return epoch, evr[:i], evr[i+1:]
	}
	return epoch, evr, ""
}

// EVR puts together what headers and metadata keep apart; an epoch of 0 is not written.
func EVR(epoch, version, release string) string {
	text := version
	if release != "" {
		text += "-" + release
	}
	if epoch != "" && epoch != "0" {
		text = epoch + ":" + text
	}
	return text
}
