package payload

import (
	"net/url"
	"strings"
)

// SameRepository reports whether a git resource's uri is the repository that
// was pushed to. It compares host and path, without regard to the way of access
// (https, ssh, git, scp-like), user, port, case or a last ".git", because a hook
// speaks of a repository and not of how one reaches it.
func SameRepository(uri string, p Push) bool {
	place, ok := parsePlace(uri)
	if !ok {
		return false
	}
	for _, u := range p.CloneURLs {
		if other, ok := parsePlace(u); ok && other == place {
			return true
		}
	}
	return false
}

// place is where a repository is, made comparable.
type place struct{ host, path string }

// sameHost are the names under which GitHub answers git on other ports.
var sameHost = map[string]string{"ssh.github.com": "github.com", "www.github.com": "github.com"}

func parsePlace(uri string) (place, bool) {
	uri = strings.TrimSpace(uri)
	host, path := "", ""
	if strings.Contains(uri, "://") {
		u, err := url.Parse(uri)
		if err != nil {
			return place{}, false
		}
		host, path = u.Hostname(), u.Path
		if u.Scheme == "file" {
			host = "file"
		}
	} else if h, p, found := strings.Cut(uri, ":"); found && !strings.Contains(h, "/") {
		host, path = h[strings.LastIndex(h, "@")+1:], p // user@host:path
	} else if strings.HasPrefix(uri, "/") {
		host, path = "file", uri
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if known := sameHost[host]; known != "" {
		host = known
	}
	path = strings.Trim(path, "/")
	if host != "file" { // a file system may tell cases apart, GitHub does not
		path = strings.ToLower(path)
	}
	path = strings.TrimSuffix(path, ".git")
	path = strings.TrimRight(path, "/")
	if host == "" || path == "" {
		return place{}, false
	}
	return place{host, path}, true
}
