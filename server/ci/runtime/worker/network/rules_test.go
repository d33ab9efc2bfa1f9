package network

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestParseAllow(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want, err string }{
		{"127.0.0.1:5000", "ip daddr 127.0.0.1/32 tcp dport 5000", ""},
		{"localhost:5000", "ip daddr 127.0.0.1/32 tcp dport 5000", ""},
		{" 10.1.2.3/16 ", "ip daddr 10.1.0.0/16", ""},
		{"192.168.1.5", "ip daddr 192.168.1.5/32", ""},
		{"10.0.0.1:0", "", "must be"},
		{"10.0.0.1:port", "", "must be"},
		{"a/b", "", "must be"},
		{"", "", "must be"},
		{"1.2.3.4:80; drop", "", "must be"},
		{"x y", "", "must be"},
	}
	for _, tc := range tests {
		got, err := parseAllow([]string{tc.in})
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%q: got %v, want %q", tc.in, err, tc.err)
			}
			continue
		}
		if err != nil || len(got) != 1 || got[0].match() != tc.want {
			t.Errorf("%q: got %v, %v", tc.in, got, err)
		}
	}
}

func TestRulesGolden(t *testing.T) {
	t.Parallel()
	allow, err := parseAllow([]string{"127.0.0.1:5000", "192.168.7.0/24", "10.9.9.9:443", "[::1]:80"})
	if err != nil {
		t.Fatal(err)
	}
	r := rules{
		table: "signalbox_0123abcd", prefix: "sb0123.", allow: allow, deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")},
		resolvers: []netip.Addr{netip.MustParseAddr("127.0.0.53"), netip.MustParseAddr("9.9.9.9")},
	}
	for name, got := range map[string]string{
		"host": r.host(), "inside_veth": r.insideVeth(), "inside_slirp": r.insideSlirp([]netip.Addr{netip.MustParseAddr("192.0.2.2")}),
	} {
		file := filepath.Join("testdata", name+".nft")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal([]byte(got), want) {
			t.Errorf("%s differs:\n%s", file, got)
		}
		// nft itself must understand it; -c only checks, in a namespace of its own.
		cmd := exec.Command("unshare", "-rn", Find("nft"), "-c", "-f", "-")
		cmd.Stdin = strings.NewReader(got)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("nft refuses %s: %v: %s", name, err, out)
		}
	}
}

func TestResolvers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, etc, upstream string
		resolv, redirect    string
	}{
		{"plain", "# x\nnameserver 9.9.9.9\nsearch corp.example\noptions ndots:2\n", "", "nameserver 9.9.9.9\nsearch corp.example\noptions ndots:2\n", ""},
		{"systemd-resolved", "nameserver 127.0.0.53\n", "nameserver 10.0.0.2\n", "nameserver 10.0.0.2\n", ""},
		{"only on loopback", "nameserver 127.0.0.1\n", "", "nameserver 10.213.0.1\n", "127.0.0.1:53"},
		{"nothing usable", "nameserver ::1\nnameserver nonsense\n", "", "", ""},
		{"missing", "", "", "", ""},
	}
	for _, tc := range tests {
		servers, resolv := resolvers(func(name string) string {
			if name == "/etc/resolv.conf" {
				return tc.etc
			}
			return tc.upstream
		})
		r := rules{prefix: "sb.", resolvers: servers}
		if resolv != tc.resolv || (tc.redirect == "") != (r.redirects() == "") || !strings.Contains(r.redirects(), tc.redirect) {
			t.Errorf("%s: %q with redirects %q", tc.name, resolv, r.redirects())
		}
	}
}
