package packages

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/agents/protocol"
)

// maxStatusLine bounds one line of dpkg's status file.
const maxStatusLine = 1 << 20

// ParseStatus reads dpkg's status file: the packages that are more than a
// remembered configuration, sorted, and the names of those that are on hold.
func ParseStatus(r io.Reader, native string) (installed []protocol.Package, held []string, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), maxStatusLine)
	paragraph := map[string]string{}
	done := func() {
		p, hold, there := statusEntry(paragraph)
		if there {
			installed = append(installed, p)
			if hold {
				held = append(held, Key(p.Name, p.Arch, native))
			}
		}
		clear(paragraph)
	}
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.TrimSpace(line) == "":
			done()
		case line[0] == ' ' || line[0] == '\t': // the rest of a description
		default:
			if name, value, ok := strings.Cut(line, ":"); ok {
				paragraph[name] = strings.TrimSpace(value)
			}
		}
	}
	done()
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("read dpkg's status: %w", err)
	}
	sortPackages(installed)
	slices.Sort(held)
	return installed, held, nil
}

func statusEntry(fields map[string]string) (p protocol.Package, hold, there bool) {
	status := strings.Fields(fields["Status"]) // want, error flag, state
	if fields["Package"] == "" || len(status) != 3 || status[2] == "not-installed" || status[2] == "config-files" {
		return p, false, false
	}
	p = protocol.Package{Name: fields["Package"], Version: fields["Version"], Arch: fields["Architecture"]}
	// "source (version)" where the source has another version
	if source, _, _ := strings.Cut(fields["Source"], " "); source != p.Name {
		p.Source = source
	}
	if status[2] != "installed" || status[1] != "ok" {
		p.Status = strings.TrimPrefix(status[1]+" ", "ok ") + status[2]
	}
	return p, status[0] == "hold", true
}
