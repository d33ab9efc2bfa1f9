package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const publicGitHub = "https://api.github.com"

// maxPages bounds a listing: at 100 a page more than any repository has releases.
const maxPages = 200

// githubAPI is GitHub's REST interface for one call of a type.
type githubAPI struct {
	web  *web
	base *url.URL
}

// githubAccess is what the sources of GitHub's types have in common.
type githubAccess struct {
	api      string
	token    string
	insecure bool
	// hosts may be given the token besides the API's own.
	hosts []string
}

// apiAddress reads an API's address; the public one when it is absent.
func apiAddress(f *fields, key string) string {
	address := f.text(key)
	if address == "" {
		return publicGitHub
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.User != nil {
		f.fail(key, "is not the address of an API. Write it like https://github.example.com/api/v3.")
		return publicGitHub
	}
	return strings.TrimRight(address, "/")
}

var githubName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// repositoryName refuses what would change the path of an API call.
func repositoryName(f *fields, key, name string) string {
	if f.err == nil && (!githubName.MatchString(name) || name == "." || name == "..") {
		f.fail(key, fmt.Sprintf("%q is not a name on GitHub. Correct it in the pipeline.", name))
	}
	return name
}

func (o Options) github(req Request, a githubAccess) (githubAPI, error) {
	base, err := url.Parse(a.api)
	if err != nil {
		return githubAPI{}, err
	}
	w, err := newWeb(o, req, "GitHub", webSettings{
		insecure: a.insecure, secrets: []string{a.token},
		authorize: func(r *http.Request) {
			trusted := r.URL.Host == base.Host && r.URL.Scheme == base.Scheme
			for _, host := range a.hosts {
				trusted = trusted || r.URL.Host == host && r.URL.Scheme == base.Scheme
			}
			if trusted && a.token != "" {
				r.Header.Set("Authorization", "Bearer "+a.token)
			}
		},
	})
	return githubAPI{web: w, base: base}, err
}

// path joins escaped segments.
func (g githubAPI) path(segments ...string) string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(g.base.String(), "/"))
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// call sends body and reads the answer into into; both may be nil.
func (g githubAPI) call(ctx context.Context, method, address string, body, into any) error {
	_, err := g.exchange(ctx, method, address, body, into)
	return err
}

// read is a POST that changes nothing.
func (g githubAPI) read(ctx context.Context, address string, body, into any) error {
	_, err := g.send(ctx, http.MethodPost, address, true, body, into)
	return err
}

func (g githubAPI) exchange(ctx context.Context, method, address string, body, into any) (http.Header, error) {
	return g.send(ctx, method, address, method != http.MethodPost, body, into)
}

func (g githubAPI) send(ctx context.Context, method, address string, again bool, body, into any) (http.Header, error) {
	x := exchange{method: method, url: address, again: again, header: http.Header{
		"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"},
	}}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		x.body = data
		x.header["Content-Type"] = []string{"application/json"}
	}
	a, err := g.web.do(ctx, x)
	if err != nil {
		return nil, err
	}
	if into != nil {
		if err := json.NewDecoder(bytes.NewReader(a.body)).Decode(into); err != nil {
			return nil, fmt.Errorf("GitHub's answer is not what its documentation says: %w", err)
		}
	}
	return a.header, nil
}

// pages reads a listing to its end, or until more says that it has seen enough.
func pages[T any](ctx context.Context, g githubAPI, address string, more func(page []T) bool) error {
	if u, err := url.Parse(address); err == nil {
		query := u.Query()
		query.Set("per_page", "100")
		u.RawQuery = query.Encode()
		address = u.String()
	}
	for range maxPages {
		var page []T
		header, err := g.exchange(ctx, http.MethodGet, address, nil, &page)
		if err != nil {
			return err
		}
		next := nextPage(header.Values("Link"))
		if !more(page) || next == "" {
			return nil
		}
		u, err := url.Parse(next)
		if err != nil || u.Host != g.base.Host || u.Scheme != g.base.Scheme {
			return errors.New("GitHub names a next page on another host. Correct the address of the API in the pipeline")
		}
		address = next
	}
	return fmt.Errorf("GitHub's list has more than %d pages", maxPages)
}

// nextPage finds the address of the next page in a Link header.
func nextPage(links []string) string {
	for _, header := range links {
		for header != "" {
			_, rest, ok := strings.Cut(header, "<")
			if !ok {
				break
			}
			target, after, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			params, following, _ := strings.Cut(after, "<")
			for param := range strings.SplitSeq(params, ";") {
				name, value, _ := strings.Cut(strings.Trim(param, " \t,"), "=")
				if strings.EqualFold(name, "rel") && strings.Trim(value, `"`) == "next" {
					return target
				}
			}
			header = ""
			if following != "" {
				header = "<" + following
			}
		}
	}
	return ""
}
