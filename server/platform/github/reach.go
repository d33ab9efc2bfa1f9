package github

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/platform/outbound"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Reachability says whether GitHub can be expected to reach us, and if not what to
// do next.
type Reachability struct {
	URL       string `json:"url"`
	OK        bool   `json:"ok"`
	CheckedAt Millis `json:"checked_at"`
	// How is what was tried, Problem what went wrong, NextStep what helps.
	How      string `json:"how"`
	Problem  string `json:"problem"`
	NextStep string `json:"next_step"`
}

const (
	// reachFor is how long an answer is given again, so that nobody has us call ourselves all day.
	reachFor    = 30 * time.Second
	reachTime   = 8 * time.Second
	reachTable  = "github_reach"
	maxReachHex = 400
)

// reached remembers the last answer.
type reached struct {
	mu   sync.Mutex
	last Reachability
}

// Reach asks our own public address for something that only this installation can
// say. The call is made from here, so it shows wrong names, proxies and
// certificates; it cannot show a firewall that lets us out and nobody in.
func (s *Service) Reach(ctx context.Context) Reachability {
	s.reached.mu.Lock()
	defer s.reached.mu.Unlock()
	last := s.reached.last
	if last.URL == s.PublicURL() && s.Now().Sub(time.UnixMilli(int64(last.CheckedAt))) < reachFor {
		return last
	}
	r := s.reach(ctx)
	r.URL, r.CheckedAt = s.PublicURL(), Millis(s.millis())
	if r.OK = r.Problem == ""; ctx.Err() == nil {
		s.reached.last = r
	}
	return r
}

func (s *Service) reach(ctx context.Context) Reachability {
	u, err := outbound.CheckURL(s.PublicURL())
	if err != nil {
		return Reachability{How: "The address was read.", Problem: problem.From(err).Detail, NextStep: "Set server.public_url to the address under which GitHub sees this server, such as https://ci.example.com."}
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	addresses, err := s.Guard.Resolve(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return unresolved(u, err)
	}
	how := fmt.Sprintf("%s was resolved to %s", u.Hostname(), addresses[0].Addr())
	word := randomHex(16)
	sealed := hex.EncodeToString(s.Box.Seal(reachTable, "word", []byte(word)))
	said, status, err := s.askSelf(ctx, s.PublicURL()+"/hooks/github/_reach/"+sealed)
	out := Reachability{How: how + ", and asked over " + u.Scheme + " for a word that only this server knows."}
	switch {
	case err != nil:
		out.Problem, out.NextStep = explainReach(u, err)
	case status/100 == 3:
		out.Problem = fmt.Sprintf("The address answers with a redirect (%d). GitHub does not follow redirects.", status)
		out.NextStep = "Set server.public_url to the address that the redirect leads to, usually with https."
	case subtle.ConstantTimeCompare([]byte(said), []byte(word)) != 1:
		out.Problem = fmt.Sprintf("Something else answers at this address (status %d).", status)
		out.NextStep = "Have the proxy in front pass everything below /hooks/github/ to this server, without asking for a login."
	case u.Scheme == "http" && outbound.Inside(addresses[0].Addr()) == "":
		out.NextStep = "It works. Better put TLS in front and use https: deliveries are signed, but not hidden."
	case outbound.Inside(addresses[0].Addr()) != "":
		out.NextStep = "It works from here, but the address is inside a network. A GitHub Enterprise Server in the same network reaches it, github.com does not."
	}
	return out
}

func unresolved(u *url.URL, err error) Reachability {
	out := Reachability{How: "The name " + u.Hostname() + " was looked up.", Problem: problem.From(err).Detail}
	if !outbound.IsRefused(err) {
		out.NextStep = "Give the name an address in the DNS, or set server.public_url to a name that has one."
		return out
	}
	out.Problem = u.Hostname() + " leads to an address inside this machine or its network, where github.com cannot post to."
	out.NextStep = "Set server.public_url to a public address. With a GitHub Enterprise Server in the same network, list the host in outbound.allow."
	return out
}

func (s *Service) askSelf(ctx context.Context, address string) (said string, status int, err error) {
	client := s.Guard.Client(outbound.Options{Timeout: reachTime, MaxBytes: 64 << 10, Redirects: -1})
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", 0, err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1000))
	return strings.TrimSpace(string(body)), response.StatusCode, err
}

func explainReach(u *url.URL, err error) (what, next string) {
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown):
		return "The certificate is not signed by an authority that is trusted in public.", "Use a certificate of a public authority, such as Let's Encrypt. GitHub checks it."
	case errors.As(err, &wrongName):
		return "The certificate is for another name than " + u.Hostname() + ".", "Have a certificate made for this name."
	case errors.As(err, &invalid):
		return "The certificate is not valid: " + invalid.Error() + ".", "Renew the certificate."
	case errors.Is(err, http.ErrSchemeMismatch):
		return "The port does not speak TLS.", "Use http:// in server.public_url, or put TLS in front."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "Nothing answered in time.", "See whether a firewall drops connections to " + u.Host + ", and whether the proxy in front runs."
	}
	return "The connection failed: " + explainAPI(err) + ".", "See whether the proxy in front of this server runs and listens at " + u.Host + "."
}
