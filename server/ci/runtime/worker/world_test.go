package worker

import (
	"bytes"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
)

// newWorld makes a network namespace that stands for another machine, with a
// program listening in it, and returns where.
func newWorld(t *testing.T) string {
	t.Helper()
	name := "world" + newID()[:6]
	for _, line := range []string{
		"netns add " + name,
		"link add " + name[:9] + "a type veth peer name " + name[:9] + "b netns " + name,
		"addr add 198.18.77.1/30 dev " + name[:9] + "a",
		"link set " + name[:9] + "a up",
		"-n " + name + " addr add 198.18.77.2/30 dev " + name[:9] + "b",
		"-n " + name + " link set " + name[:9] + "b up",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
		if strings.HasPrefix(line, "netns add") {
			t.Cleanup(func() {
				if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
					t.Errorf("remove %s: %v: %s", name, err, out)
				}
			})
		}
	}
	cmd := exec.Command("ip", "netns", "exec", name, "perl", "-MIO::Socket::INET", "-e",
		`$|=1; my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5) or die $!; print "ready\n"; while (my $c = $s->accept) { print $c "hi\n"; close $c }`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	if b := make([]byte, 6); !bytes.HasPrefix(b[:must(out.Read(b))], []byte("ready")) {
		t.Fatal("the other machine's program did not start")
	}
	return "198.18.77.2:80"
}

func must(n int, err error) int {
	if err != nil {
		return 0
	}
	return n
}

func prefixes(t *testing.T, addr string) []netip.Prefix {
	t.Helper()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr(host), 32)}
}
