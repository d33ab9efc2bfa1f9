package build

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// maxNode bounds what one node tells about itself.
const maxNode = 64 << 20

// inventory is how agents tell what is installed, in the fields that matter here.
type inventory struct {
	Packages []struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Arch    string `json:"arch"`
		Source  string `json:"source"`
	} `json:"packages"`
	Held      []string          `json:"held"`
	Arch      string            `json:"arch"`
	OSRelease map[string]string `json:"os_release"`
}

// nodeFile is one input, opened far enough to know what it is.
type nodeFile struct {
	path string
	dir  bool
	data []byte
}

// nodeFiles finds what the patterns mean.
func nodeFiles(patterns []string) ([]nodeFile, error) {
	var files []nodeFile
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("nodes: there is no %s", pattern)
		}
		for _, at := range found {
			f, err := readNodeFile(at)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	return files, nil
}

func readNodeFile(at string) (nodeFile, error) {
	info, err := os.Stat(at)
	if err != nil || info.IsDir() {
		return nodeFile{path: at, dir: true}, err
	}
	raw, err := os.ReadFile(at)
	if err != nil {
		return nodeFile{}, err
	}
	if bytes.HasPrefix(raw, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		z, err := zstd.NewReader(bytes.NewReader(raw), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxNode))
		if err != nil {
			return nodeFile{}, err
		}
		defer z.Close()
		if raw, err = io.ReadAll(io.LimitReader(z, maxNode)); err != nil {
			return nodeFile{}, fmt.Errorf("%s: %w", at, err)
		}
	}
	return nodeFile{path: at, data: raw}, nil
}

// osRelease tells which operating system an input is of, where it can tell.
func (f nodeFile) osRelease() (map[string]string, error) {
	if f.dir {
		for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
			data, err := os.ReadFile(filepath.Join(f.path, name))
			if err == nil {
				return parseOSRelease(data), nil
			}
			if !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
		return nil, nil
	}
	if f.isJSON() {
		var i inventory
		if err := json.Unmarshal(f.data, &i); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		return i.OSRelease, nil
	}
	return nil, nil
}

func (f nodeFile) isJSON() bool { return bytes.HasPrefix(bytes.TrimSpace(f.data), []byte("{")) }

func parseOSRelease(data []byte) map[string]string {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, found := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if found && !strings.HasPrefix(key, "#") {
			values[key] = strings.Trim(value, `"'`)
		}
	}
	return values
}

// read gives what the node has.
func (f nodeFile) read(ctx context.Context, sys system) (n node, err error) {
	switch {
	case f.dir:
		n, err = sys.readRoot(ctx, f.path)
	case f.isJSON():
		n, err = readInventory(f.data)
	default:
		n, err = sys.readNode(ctx, f.data)
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w", f.path, err)
	}
	n.name = filepath.Base(f.path)
	slices.SortStableFunc(n.installed, func(a, b resolve.Package) int { return strings.Compare(a.Name+":"+a.Arch, b.Name+":"+b.Arch) })
	return n, nil
}

func readInventory(data []byte) (node, error) {
	var i inventory
	if err := json.Unmarshal(data, &i); err != nil {
		return node{}, err
	}
	n := node{held: map[string]bool{}, sources: map[string][2]string{}, arch: i.Arch}
	for _, p := range i.Packages {
		if p.Name == "" || p.Version == "" || p.Arch == "" {
			return n, fmt.Errorf("a package without name, version or arch: %q", p.Name)
		}
		n.installed = append(n.installed, resolve.Package{Name: p.Name, Version: p.Version, Arch: p.Arch})
		source := p.Source
		if source == "" {
			source = p.Name
		}
		n.sources[p.Name] = [2]string{source, p.Version}
		if n.arch == "" && slices.Contains([]string{"dpkg", "rpm", "glibc"}, p.Name) {
			n.arch = p.Arch
		}
	}
	for _, name := range i.Held {
		n.held[name] = true
	}
	if len(n.installed) == 0 {
		return n, errors.New("nothing is installed according to this inventory")
	}
	return n, nil
}
