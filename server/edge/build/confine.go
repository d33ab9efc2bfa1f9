package build

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// systemKeys are the folders of public keys that any description may name.
var systemKeys = []string{"/usr/share/keyrings/", "/etc/pki/rpm-gpg/", "/etc/apt/trusted.gpg.d/"}

// within puts every path of the description below a folder and refuses those that lead out.
func (s Spec) within(dir string) (Spec, error) {
	var err error
	inside := func(path string) string {
		switch {
		case path == "":
			return ""
		case !filepath.IsLocal(path):
			if err == nil {
				err = fmt.Errorf("%s is not below the build's own files", path)
			}
			return ""
		}
		return filepath.Join(dir, path)
	}
	s.RepoKey, s.Tracker = inside(s.RepoKey), inside(s.Tracker)
	s.Variants = slices.Clone(s.Variants)
	for i, v := range s.Variants {
		v.Nodes, v.Sources = slices.Clone(v.Nodes), slices.Clone(v.Sources)
		for j := range v.Nodes {
			v.Nodes[j] = inside(v.Nodes[j])
		}
		for j, src := range v.Sources {
			if u, bad := url.Parse(src.URL); err == nil && src.URL != "" && (bad != nil || u.Scheme != "http" && u.Scheme != "https") {
				err = fmt.Errorf("%s is not an address of the network", src.URL)
			}
			src.Folder, src.Keys = inside(src.Folder), slices.Clone(src.Keys)
			for k, key := range src.Keys {
				if clean := filepath.Clean(key); !slices.ContainsFunc(systemKeys, func(folder string) bool { return strings.HasPrefix(clean, folder) }) {
					src.Keys[k] = inside(key)
				}
			}
			v.Sources[j] = src
		}
		s.Variants[i] = v
	}
	return s, err
}
