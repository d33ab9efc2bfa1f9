package packages

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// readVersionLock reads dnf's list of locked packages; no file, no locks.
func readVersionLock(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read dnf's locked packages: %w", err)
	}
	return parseVersionLock(string(raw)), nil
}

// parseVersionLock takes the names out of lines "name-epoch:version-release.*"; a ! excludes a version, which holds nothing.
func parseVersionLock(text string) []string {
	var held []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		if name := sourceName(line); name != "" {
			held = append(held, name)
		}
	}
	slices.Sort(held)
	return slices.Compact(held)
}
