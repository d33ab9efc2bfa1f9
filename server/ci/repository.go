package ci

import (
	"net/url"
	"path"
	"strings"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// repositoryOf names what a git resource watches as host/owner/name in lower
// case, whatever way its address is written; "" when it watches none, or when
// its address is a ((var)) and known at run time only.
func repositoryOf(r pipeline.Resource) string {
	if r.Type != "git" {
		return ""
	}
	uri, _ := r.Source["uri"].(string)
	return NormalRepository(uri)
}

// NormalRepository is repositoryOf for an address: https, ssh, scp-like, git or file.
func NormalRepository(address string) string {
	address = strings.TrimSpace(address)
	if address == "" || strings.Contains(address, "((") {
		return ""
	}
	if strings.HasPrefix(address, "/") {
		address = "file://" + address
	}
	if !strings.Contains(address, "://") {
		// user@host:owner/name
		host, rest, ok := strings.Cut(address, ":")
		if !ok {
			return ""
		}
		address = "ssh://" + host + "/" + strings.TrimPrefix(rest, "/")
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	place := strings.TrimSuffix(strings.Trim(path.Clean("/"+u.Path), "/"), ".git")
	if u.Scheme == "file" {
		return "file/" + place
	}
	if u.Hostname() == "" || place == "" {
		return ""
	}
	return strings.ToLower(u.Hostname() + "/" + place)
}
