package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestInside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ip, want string }{
		{"140.82.112.3", ""}, {"8.8.8.8", ""}, {"2606:50c0:8000::153", ""}, {"::ffff:140.82.112.3", ""},
		{"127.0.0.1", "loopback"}, {"127.255.255.254", "loopback"}, {"::1", "loopback"}, {"::ffff:127.0.0.1", "loopback"}, {"::ffff:7f00:1", "loopback"},
		{"0.0.0.0", "unspecified"}, {"0.1.2.3", "unspecified"}, {"::", "unspecified"},
		{"10.0.0.1", "private"}, {"172.16.0.1", "private"}, {"172.31.255.255", "private"}, {"172.32.0.1", ""}, {"192.168.1.1", "private"},
		{"169.254.169.254", "link-local"}, {"::ffff:169.254.169.254", "link-local"}, {"fe80::1", "link-local"}, {"fe80::1%eth0", "link-local"}, {"febf::1", "link-local"},
		{"100.64.0.1", "carrier-grade NAT"}, {"100.127.255.255", "carrier-grade NAT"}, {"100.128.0.1", ""},
		{"fc00::1", "private"}, {"fd12:3456::1", "private"}, {"fec0::1", "site-local"},
		{"224.0.0.1", "multicast"}, {"239.255.255.250", "multicast"}, {"ff02::1", "multicast"}, {"255.255.255.255", "reserved"}, {"240.0.0.1", "reserved"},
		{"64:ff9b::7f00:1", "NAT64"}, {"64:ff9b::10.0.0.1", "NAT64"}, {"64:ff9b:1::1", "NAT64"}, {"2002:7f00:1::", "6to4"}, {"2001:0:7f00:1::", "Teredo"},
		{"::127.0.0.1", "IPv4-compatible"}, {"2001:db8::1", "documentation"}, {"198.18.0.1", "benchmark"}, {"192.0.2.1", "documentation"},
		{"100::1", "reserved"}, {"4000::1", "reserved"}, {"5f00::1", "reserved"}, {"::ffff:0:127.0.0.1", "reserved"},
	} {
		if got := Inside(netip.MustParseAddr(c.ip)); got != c.want {
			t.Errorf("Inside(%s) = %q, want %q", c.ip, got, c.want)
		}
	}
	if Inside(netip.Addr{}) == "" {
		t.Error("the zero address passes")
	}
}

func FuzzInside(f *testing.F) {
	for _, s := range []string{"127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "fe80::1%lo"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ip, err := netip.ParseAddr(s)
		if err != nil || Inside(ip) != "" {
			return
		}
		plain := ip.Unmap()
		if !plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified() {
			t.Errorf("%s passes", s)
		}
		if Inside(netip.AddrFrom16(ip.As16())) != "" {
			t.Errorf("%s passes, but not in its sixteen-byte form", s)
		}
	})
}

func TestAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule, host, to string
		want           bool
	}{
		{"10.0.0.5", "a", "10.0.0.5:80", true}, {"10.0.0.5", "a", "10.0.0.6:80", false}, {"10.0.0.5:80", "a", "10.0.0.5:80", true},
		{"10.0.0.5:80", "a", "10.0.0.5:81", false}, {"10.0.0.0/8", "a", "10.9.9.9:1", true}, {"10.0.0.0/8", "a", "11.9.9.9:1", true /* public anyway */},
		{"[::1]:80", "a", "[::1]:80", true}, {"::1", "a", "[::1]:80", true}, {"[::1]", "a", "[::1]:80", true}, {"[::1]:80", "a", "[::1]:443", false},
		{"127.0.0.1", "a", "[::ffff:127.0.0.1]:80", true}, {"::ffff:127.0.0.0/104", "a", "127.0.0.1:80", true},
		{"git.corp", "git.corp", "10.0.0.5:443", true}, {"Git.Corp.", "git.corp", "10.0.0.5:443", true}, {"git.corp", "GIT.CORP.", "10.0.0.5:443", true},
		{"git.corp", "evil.git.corp", "10.0.0.5:443", false}, {"git.corp:443", "git.corp", "10.0.0.5:443", true}, {"git.corp:443", "git.corp", "10.0.0.5:22", false},
		{"127.0.0.1:0080", "a", "127.0.0.1:80", true},
	} {
		g, err := New([]string{c.rule})
		if err != nil {
			t.Errorf("%q: %v", c.rule, err)
			continue
		}
		if got := g.Check(c.host, netip.MustParseAddrPort(c.to)) == nil; got != c.want {
			t.Errorf("rule %q, %s at %s: allowed %v, want %v", c.rule, c.host, c.to, got, c.want)
		}
	}
	for _, bad := range []string{"", " ", "http://x", "a:b", "a:0", "a:70000", "10.0.0.0/33", "*.corp", "a b", "user@host", "a:1:2", "x/y"} {
		if _, err := New([]string{bad}); err == nil || !strings.Contains(err.Error(), "outbound.allow") {
			t.Errorf("New(%q) = %v", bad, err)
		}
	}
}

type names map[string][]string

func (n names) LookupNetIP(_ context.Context, _, host string) (addrs []netip.Addr, err error) {
	for _, s := range n[host] {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	if addrs == nil {
		return nil, errors.New("no such host")
	}
	return addrs, nil
}

func guard(t *testing.T, n names, allow ...string) *Guard {
	t.Helper()
	g, err := New(allow)
	if err != nil {
		t.Fatal(err)
	}
	return g.WithResolver(n)
}

func TestDialRefuses(t *testing.T) {
	t.Parallel()
	g := guard(t, names{"rebind.example": {"127.0.0.1"}, "mixed.example": {"10.0.0.1", "::1"}, "2130706433": {"127.0.0.1"}, "0x7f.1": {"127.0.0.1"}, "127.1": {"127.0.0.1"}})
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80", "rebind.example:80", "mixed.example:80", "2130706433:80", "0x7f.1:80", "127.1:80", "[fe80::1%lo]:80"} {
		_, err := g.DialContext(t.Context(), "tcp", address)
		if !IsRefused(err) || !problem.Is(err, problem.Forbidden) || !strings.Contains(err.Error(), "outbound.allow") {
			t.Errorf("dial %s: %v", address, err)
		}
	}
	if _, err := g.DialContext(t.Context(), "tcp", "nowhere.example:80"); !problem.Is(err, problem.Upstream) {
		t.Errorf("an unknown name: %v", err)
	}
	for _, c := range [][2]string{{"udp", "8.8.8.8:53"}, {"unix", "/run/x"}, {"tcp", "nope"}, {"tcp", "8.8.8.8:http"}, {"tcp", "8.8.8.8:0"}} {
		if _, err := g.DialContext(t.Context(), c[0], c[1]); err == nil {
			t.Errorf("dial %v succeeds", c)
		}
	}
}

func TestDialUsesTheCheckedAddress(t *testing.T) {
	t.Parallel()
	g := guard(t, names{"mixed.example": {"10.0.0.1", "140.82.112.3", "140.82.112.4"}})
	var dialled []string
	g.dial = func(_ context.Context, _, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return nil, errors.New("down")
	}
	if _, err := g.DialContext(t.Context(), "tcp", "mixed.example:443"); err == nil {
		t.Fatal("no error")
	}
	if got := strings.Join(dialled, " "); got != "140.82.112.3:443 140.82.112.4:443" {
		t.Errorf("dialled %s", got)
	}
}

// server is a web server on loopback that the returned guard may reach under that name.
func server(t *testing.T, h http.HandlerFunc) (*Guard, string) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	g := guard(t, names{"ok.example": {"127.0.0.1"}, "inside.example": {"127.0.0.1"}}, "ok.example:"+port)
	return g, "http://ok.example:" + port
}

func TestClientRedirects(t *testing.T) {
	t.Parallel()
	var base string
	g, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/inside":
			http.Redirect(w, r, strings.Replace("http://"+r.Host+"/", "ok.example", "inside.example", 1), http.StatusFound)
		case "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case "/once":
			http.Redirect(w, r, "/", http.StatusFound)
		default:
			io.WriteString(w, "here")
		}
	})
	client := g.Client(Options{})
	for path, check := range map[string]func(error) bool{
		"/loop":   func(err error) bool { return err != nil && strings.Contains(err.Error(), "more than 5 times") },
		"/inside": IsRefused,
		"/file":   func(err error) bool { return err != nil },
		"/once":   func(err error) bool { return err == nil },
	} {
		response, err := client.Get(base + path)
		if err == nil {
			response.Body.Close()
		}
		if !check(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	response, err := g.Client(Options{Redirects: -1}).Get(base + "/once")
	if err != nil || response.StatusCode != http.StatusFound {
		t.Errorf("without redirects: %v %v", response, err)
	}
	response.Body.Close()
}

func TestClientBounds(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	g, base := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
			return
		}
		io.WriteString(w, strings.Repeat("x", 1000))
	})
	t.Cleanup(func() { close(release) })
	for limit, want := range map[int64]error{999: ErrTooLarge, 1000: nil, 1001: nil, -1: nil} {
		response, err := g.Client(Options{MaxBytes: limit}).Get(base)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if !errors.Is(err, want) || want != nil && len(body) != 999 {
			t.Errorf("limit %d: %d bytes, %v", limit, len(body), err)
		}
	}
	_, err := g.Client(Options{Timeout: 50 * time.Millisecond}).Get(base + "/slow")
	var netErr net.Error
	if !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("slow: %v", err)
	}
}

func TestCheckRedirectDowngrade(t *testing.T) {
	t.Parallel()
	from, _ := http.NewRequest("GET", "https://a.example/", nil)
	to, _ := http.NewRequest("GET", "http://a.example/", nil)
	if err := checkRedirect(to, []*http.Request{from}, 5); !problem.Is(err, problem.Upstream) {
		t.Errorf("a downgrade: %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, ok := range map[string]bool{"https://api.github.com": true, "http://10.0.0.1:80/api/v3": true, "ftp://x": false, "https://": false,
		"https://user:pw@x": false, "://": false, "": false, "/path": false, "javascript:alert(1)": false} {
		if _, err := CheckURL(raw); (err == nil) != ok {
			t.Errorf("CheckURL(%q) = %v", raw, err)
		}
	}
}
