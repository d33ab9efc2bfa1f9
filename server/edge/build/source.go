package build

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

// ParseSource reads a source as sources.list has it, an address of an rpm repository, or a
// folder.
func ParseSource(line string) (Source, error) {
	line = strings.TrimSpace(line)
	rest, isDeb := strings.CutPrefix(line, "deb ")
	if rest, isRepo := strings.CutPrefix(line, "rpm "); isRepo {
		return parseLine(rest, false)
	}
	if !isDeb {
		if info, err := os.Stat(line); err == nil && info.IsDir() {
			return Source{Folder: line}, nil
		}
		return Source{}, errors.New(`write "deb [signed-by=KEYS] ADDRESS SUITE COMPONENT…", "rpm [signed-by=KEYS] ADDRESS" or the path of a folder`)
	}
	return parseLine(rest, true)
}

func parseLine(text string, suite bool) (Source, error) {
	var s Source
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") {
		inner, rest, closed := strings.Cut(text[1:], "]")
		if !closed {
			return s, errors.New("a bracket is not closed")
		}
		for _, option := range strings.Fields(inner) {
			key, value, _ := strings.Cut(option, "=")
			switch key {
			case "signed-by":
				s.Keys = strings.Split(value, ",")
			case "trusted":
				s.Trusted = value == "yes"
			case "security":
				s.Security = value == "yes"
			case "old":
				s.Old = value == "yes"
			case "snapshot":
				s.Snapshot = value
			case "arch":
			default:
				return s, fmt.Errorf("the option %s is not known (signed-by, trusted, security, old, snapshot, arch)", key)
			}
		}
		text = rest
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0, suite && len(words) < 2:
		return s, errors.New("an address and a suite are needed")
	case !suite && len(words) > 1:
		return s, errors.New("an address is all that is needed")
	}
	s.URL = words[0]
	if suite {
		s.Suite, s.Components = words[1], words[2:]
	}
	return s, nil
}

// EnsureRepoKey makes the key that signs local repositories where there is none yet.
func EnsureRepoKey(path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	text, err := debian.NewRepoKey("Signalbox bundle repository")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
