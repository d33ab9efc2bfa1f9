package issues

import (
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Filters say which events a project does not want. They cost nothing of its limits.
type Filters struct {
	// Localhost drops what comes from pages on the developer's own machine.
	Localhost bool `json:"localhost"`
	// LegacyBrowsers drops what browsers send that are no longer maintained.
	LegacyBrowsers bool `json:"legacy_browsers"`
	// Releases, Errors (over "type: value" and the message) are globs; * matches anything.
	Releases []string `json:"releases"`
	Errors   []string `json:"errors"`
	// Addresses are IP addresses and CIDRs of clients.
	Addresses []string `json:"addresses"`
}

const maxPatterns = 100

func (f Filters) validate() error {
	for name, list := range map[string][]string{"filters.releases": f.Releases, "filters.errors": f.Errors, "filters.addresses": f.Addresses} {
		if len(list) > maxPatterns {
			return problem.FieldError(name, "give at most %d", maxPatterns)
		}
		for _, p := range list {
			if p == "" || len(p) > 300 {
				return problem.FieldError(name, "a pattern has 1 to 300 bytes")
			}
			if strings.Count(p, "*") > 10 {
				return problem.FieldError(name, "a pattern has at most 10 *")
			}
		}
	}
	for _, a := range f.Addresses {
		if _, err := prefixOf(a); err != nil {
			return problem.FieldError("filters.addresses", "%.60q is neither an IP address nor a CIDR", a)
		}
	}
	return nil
}

func prefixOf(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return a.Unmap().Prefix(a.Unmap().BitLen())
}

// filter is Filters made ready.
type filter struct {
	Filters
	prefixes         []netip.Prefix
	releases, errors []*regexp.Regexp
}

func (f Filters) compile() *filter {
	c := &filter{Filters: f, releases: globs(f.Releases), errors: globs(f.Errors)}
	for _, a := range f.Addresses {
		if p, err := prefixOf(a); err == nil { // checked when it was stored
			c.prefixes = append(c.prefixes, p)
		}
	}
	return c
}

// globs are regular expressions because Go's take time in proportion to the text, whatever the pattern.
func globs(list []string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, 0, len(list))
	for _, p := range list {
		parts := strings.Split(p, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		out = append(out, regexp.MustCompile(`(?is)^`+strings.Join(parts, ".*")+`$`))
	}
	return out
}

func matchAny(list []*regexp.Regexp, text string) bool {
	return text != "" && slices.ContainsFunc(list, func(r *regexp.Regexp) bool { return r.MatchString(text) })
}

// Reasons of the outcome filtered.
const (
	reasonAddress   = "ip-address"
	reasonLocalhost = "localhost"
	reasonRelease   = "release-version"
	reasonMessage   = "error-message"
	reasonBrowser   = "legacy-browsers"
)

// byAddress reports whether everything from address is unwanted.
func (f *filter) byAddress(address string) bool {
	if len(f.prefixes) == 0 {
		return false
	}
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(f.prefixes, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// looks reports whether an event must be parsed to know whether it is wanted.
func (f *filter) looks() bool {
	return f.Localhost || f.LegacyBrowsers || len(f.releases) > 0 || len(f.errors) > 0
}

// byEvent says why an event is unwanted, "" when it is wanted.
func (f *filter) byEvent(e sentry.Event) string {
	switch {
	case matchAny(f.releases, e.Release):
		return reasonRelease
	case f.Localhost && fromLocalhost(e):
		return reasonLocalhost
	case f.LegacyBrowsers && legacyBrowser(e):
		return reasonBrowser
	case len(f.errors) > 0 && slices.ContainsFunc(texts(e), func(t string) bool { return matchAny(f.errors, t) }):
		return reasonMessage
	}
	return ""
}

// texts are what error-message globs are held against.
func texts(e sentry.Event) []string {
	list := []string{e.Message.Template, e.Message.Formatted}
	for _, x := range e.Exceptions {
		list = append(list, x.Type+": "+x.Value, x.Value)
	}
	return list
}

func fromLocalhost(e sentry.Event) bool {
	if e.Request == nil || e.Request.URL == "" {
		return false
	}
	u, err := url.Parse(e.Request.URL)
	if err != nil {
		return false
	}
	if u.Scheme == "file" {
		return true
	}
	host := u.Hostname()
	a, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && a.IsLoopback()
}

// legacyAgents are browsers without updates, by how they call themselves.
var legacyAgents = regexp.MustCompile(`MSIE |Trident/|Edge/1[0-8]\.|Opera Mini/|Opera/9\.|Android [1-4]\.|Version/[1-9]\.[0-9.]+ (Mobile/\w+ )?Safari/|Firefox/([1-9]|[1-5][0-9])\.|Chrome/([1-9]|[1-5][0-9])\.`)

func legacyBrowser(e sentry.Event) bool {
	if e.Request == nil {
		return false
	}
	return slices.ContainsFunc(e.Request.Headers, func(h sentry.Pair) bool {
		return strings.EqualFold(h.Key, "User-Agent") && legacyAgents.MatchString(h.Value)
	})
}

var validOrigin = regexp.MustCompile(`^(\*|(https?://)?(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5}|:\*)?)$`)

// originAllowed reports whether a browser's page may send to the project.
func (p Project) originAllowed(origin string) bool {
	if len(p.Origins) == 0 || origin == "" {
		return true
	}
	u, err := url.Parse(strings.ToLower(origin))
	if err != nil || u.Host == "" {
		return slices.Contains(p.Origins, "*")
	}
	return slices.ContainsFunc(p.Origins, func(pattern string) bool {
		pattern = strings.ToLower(pattern)
		if scheme, rest, found := strings.Cut(pattern, "://"); found {
			if scheme != u.Scheme {
				return false
			}
			pattern = rest
		}
		target := u.Host
		if !strings.Contains(pattern, ":") {
			target = u.Hostname()
		}
		ok, err := path.Match(pattern, target)
		return err == nil && ok
	})
}
