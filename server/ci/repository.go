package ci

import (
	"net/url"
	"path"
	"strings"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// The types whose versions GitHub's webhooks tell of.
const (
	gitType     = "git"
	pullType    = "github-pull-request"
	releaseType = "github-release"
)

// repositoryOf names what a resource watches as host/owner/name in lower case,
// whatever way its address is written; "" when it watches none, or when its
// address is a ((var)) and known at run time only.
func repositoryOf(r pipeline.Resource) string {
	text := func(key string) string {
		value, _ := r.Source[key].(string)
		return value
	}
	switch r.Type {
	case gitType:
		return NormalRepository(text("uri"))
	case pullType:
		return repositoryAt(text("v3_endpoint"), text("repository"))
	case releaseType:
		return repositoryAt(text("github_api_url"), text("owner")+"/"+text("repository"))
	}
	return ""
}

// repositoryAt is where the repository of an API is cloned from.
func repositoryAt(api, name string) string {
	host := "github.com"
	if api != "" {
		u, err := url.Parse(api)
		if err != nil || u.Hostname() == "" {
			return ""
		}
		host = strings.TrimPrefix(strings.ToLower(u.Hostname()), "api.")
	}
	if strings.Count(name, "/") != 1 || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "((") {
		return ""
	}
	return host + "/" + strings.ToLower(name)
}

// addressOf is an address of the repository that NormalRepository names.
func addressOf(name string) string {
	if place, local := strings.CutPrefix(name, "file/"); local {
		return "/" + place
	}
	return "https://" + name
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
