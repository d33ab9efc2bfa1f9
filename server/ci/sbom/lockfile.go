package sbom

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

// Read reads a file by what its name says it is: the known lock files, and CycloneDX
// otherwise.
func Read(name string, r io.Reader) ([]Component, error) {
	if read := lockFile(name); read != nil {
		data, err := readAll(r)
		if err != nil {
			return nil, err
		}
		list, err := read(data)
		if err != nil {
			return nil, fmt.Errorf("cannot be read as %s: %w", path.Base(name), err)
		}
		return tidy(list)
	}
	return ReadCycloneDX(r)
}

// Generated reports whether Read makes the list from a lock file.
func Generated(name string) bool { return lockFile(name) != nil }

func lockFile(name string) func([]byte) ([]Component, error) {
	base := path.Base(name)
	switch {
	case base == "go.mod":
		return goMod
	case base == "package-lock.json", base == "npm-shrinkwrap.json":
		return packageLock
	case strings.HasPrefix(base, "requirements") && strings.HasSuffix(base, ".txt"):
		return requirements
	case base == "status":
		return dpkgStatus
	}
	return nil
}

// lines calls fn for each line, without its end.
func lines(data []byte, fn func(string) error) error {
	s := bufio.NewScanner(bytes.NewReader(data))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if err := fn(strings.TrimSuffix(s.Text(), "\r")); err != nil {
			return err
		}
	}
	return s.Err()
}

// goMod lists the modules that go.mod requires, since Go 1.17 all that are built in.
// Replacements by another module count as that one; those by a folder have no version.
func goMod(data []byte) ([]Component, error) {
	required, replaced := map[string]string{}, map[string][2]string{}
	block := ""
	err := lines(data, func(line string) error {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		if len(words) == 0 {
			return nil
		}
		switch {
		case block != "" && words[0] == ")":
			block = ""
			return nil
		case block == "" && len(words) == 2 && words[1] == "(":
			block = words[0]
			return nil
		case block == "":
			block, words = words[0], words[1:]
			defer func() { block = "" }()
		}
		goModLine(block, words, required, replaced)
		return nil
	})
	out := make([]Component, 0, len(required))
	for module, version := range required {
		if by, ok := replaced[module+"@"+version]; ok {
			module, version = by[0], by[1]
		} else if by, ok := replaced[module]; ok {
			module, version = by[0], by[1]
		}
		if strings.HasPrefix(module, ".") || strings.HasPrefix(module, "/") {
			continue // a folder of the repository itself
		}
		group, name := path.Split(module)
		group = strings.TrimSuffix(group, "/")
		out = append(out, Component{Name: name, Group: group, Version: version, Type: "library", PURL: purl("golang", group, name, version)})
	}
	return out, err
}

func goModLine(directive string, words []string, required map[string]string, replaced map[string][2]string) {
	for i := range words {
		words[i] = strings.Trim(words[i], `"`)
	}
	switch {
	case directive == "require" && len(words) == 2:
		required[words[0]] = words[1]
	case directive == "replace":
		for i, word := range words {
			if word != "=>" || i == 0 || i+1 >= len(words) {
				continue
			}
			by := [2]string{words[i+1]}
			if i+2 < len(words) {
				by[1] = words[i+2]
			}
			replaced[strings.Join(words[:i], "@")] = by
		}
	}
}

type npmPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	License any    `json:"license"`
	Link    bool   `json:"link"`
}

// packageLock lists what npm installed, of lock files of the versions 1, 2 and 3.
func packageLock(data []byte) ([]Component, error) {
	var lock struct {
		LockfileVersion int                        `json:"lockfileVersion"`
		Packages        map[string]npmPackage      `json:"packages"`
		Dependencies    map[string]json.RawMessage `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, err
	}
	if lock.LockfileVersion == 0 {
		return nil, fmt.Errorf("it has no lockfileVersion")
	}
	var out []Component
	for at, p := range lock.Packages {
		const folder = "node_modules/"
		i := strings.LastIndex(at, folder)
		if i < 0 || p.Link || p.Version == "" {
			continue // the project itself, or a workspace
		}
		name := at[i+len(folder):]
		if p.Name != "" {
			name = p.Name // installed under another name
		}
		out = append(out, npmComponent(name, p))
	}
	if lock.Packages == nil {
		return npmTree(out, lock.Dependencies, 0)
	}
	return out, nil
}

// npmTree walks the dependencies of a lock file of version 1.
func npmTree(out []Component, list map[string]json.RawMessage, depth int) ([]Component, error) {
	if depth > 64 {
		return nil, fmt.Errorf("its dependencies are more than 64 deep")
	}
	for name, raw := range list {
		var p struct {
			Version      string                     `json:"version"`
			Dependencies map[string]json.RawMessage `json:"dependencies"`
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			return nil, err
		}
		if len(out) > 2*MaxComponents {
			return nil, ErrTooMany
		}
		out = append(out, npmComponent(name, npmPackage{Version: p.Version}))
		var err error
		if out, err = npmTree(out, p.Dependencies, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func npmComponent(name string, p npmPackage) Component {
	group, base := "", name
	if scope, rest, ok := strings.Cut(name, "/"); ok {
		group, base = scope, rest
	}
	c := Component{Name: base, Group: group, Version: p.Version, Type: "library", PURL: purl("npm", group, base, p.Version)}
	if l, ok := p.License.(string); ok {
		c.Licenses = []string{l}
	}
	return c
}

// pinned is a requirement with an exact version.
var pinned = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,#]+)`)

// requirements lists what is pinned with ==. Ranges say nothing of what was installed,
// so they are left out; `pip freeze` pins all.
func requirements(data []byte) ([]Component, error) {
	var out []Component
	err := lines(data, func(line string) error {
		if m := pinned.FindStringSubmatch(strings.TrimSpace(line)); m != nil && !strings.HasSuffix(m[2], "*") {
			name := strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
			out = append(out, Component{Name: name, Version: m[2], Type: "library", PURL: purl("pypi", "", name, m[2])})
		}
		return nil
	})
	return out, err
}

// dpkgStatus lists the packages that are installed.
func dpkgStatus(data []byte) ([]Component, error) {
	var out []Component
	fields := map[string]string{}
	flush := func() {
		if fields["Package"] != "" && fields["Version"] != "" && (fields["Status"] == "" || strings.HasSuffix(fields["Status"], " installed")) {
			name, version := fields["Package"], fields["Version"]
			var qualifiers []string
			if fields["Architecture"] != "" {
				qualifiers = []string{"arch", fields["Architecture"]}
			}
			out = append(out, Component{Name: name, Version: version, Type: "library", PURL: purl("deb", "debian", name, version, qualifiers...)})
		}
		clear(fields)
	}
	err := lines(data, func(line string) error {
		if strings.TrimSpace(line) == "" {
			flush()
		} else if key, value, ok := strings.Cut(line, ":"); ok && key != "" && key[0] != ' ' && key[0] != '\t' {
			switch key {
			case "Package", "Version", "Status", "Architecture":
				fields[key] = strings.TrimSpace(value)
			}
		}
		return nil
	})
	flush()
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("it names no installed package")
	}
	return out, err
}
