package worker

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// reach tries a TCP connection from inside and says how that went.
func reach(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	return fmt.Sprintf("if timeout 2 bash -c 'exec 3<>/dev/tcp/%s/%s && echo GET / >&3 && head -1 <&3' 2>/dev/null; then echo reached; else echo not; fi\n", host, port)
}

func listen(t *testing.T, addr string) string {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("hello"))
	}))
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return l.Addr().String()
}

// ownAddress is an address of this machine that is not loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, _, err := net.ParseCIDR(a.String())
		if err == nil && ip.To4() != nil && !ip.IsLoopback() && !strings.HasPrefix(ip.String(), "10.213.") {
			return ip.String()
		}
	}
	t.Fatal("this machine has no address but loopback")
	return ""
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	local, closed := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	own, allowedOwn := listen(t, ownAddress(t)+":0"), listen(t, ownAddress(t)+":0")
	everywhere := listen(t, "0.0.0.0:0")
	_, anyPort, _ := net.SplitHostPort(everywhere)
	_, localPort, _ := net.SplitHostPort(local)
	_, closedPort, _ := net.SplitHostPort(closed)
	b := setup(t, func(o *Options) { o.AllowOutbound = []string{local, allowedOwn} })
	if why := b.Network(); why != "" {
		t.Fatal(why)
	}
	tests := []struct{ name, addr, want string }{
		{"this machine's loopback", closed, "not"},
		{"this machine's address", own, "not"},
		{"this machine's address, any port", net.JoinHostPort(ownAddress(t), anyPort), "not"},
		{"the gateway", "10.213.0.1:" + anyPort, "not"},
		{"the gateway by name", "host.signalbox.internal:" + closedPort, "not"},
		{"link-local", "169.254.169.254:80", "not"},
		{"allowed on loopback, by its own address", local, "reached"},
		{"allowed on loopback, through the gateway", "host.signalbox.internal:" + localPort, "reached"},
		{"allowed on this machine's address", allowedOwn, "reached"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := b.with(t)
			got := b.run(shell(reach(tc.addr)))
			if !strings.HasSuffix(got.out, tc.want+"\n") {
				t.Errorf("%s: got %+v, want %s", tc.addr, got, tc.want)
			}
			s := shell(reach(tc.addr))
			s.Hermetic = true
			if got := b.run(s); !strings.HasSuffix(got.out, "not\n") {
				t.Errorf("%s without a network: got %+v", tc.addr, got)
			}
		})
	}
}

func TestNeighbours(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.Engine() != "runc" {
		t.Log("only veth pairs are on one network")
		return
	}
	// perl is part of every Debian; it listens until somebody comes.
	server := shell(`perl -MIO::Socket::INET -e '$|=1; my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5) or die $!;
		print "ready "; system("hostname -I"); while (my $c = $s->accept) { print $c "hi\n"; close $c }'`)
	p := b.start(server)
	addr := make(chan string, 1)
	go func() {
		var said string
		_, _ = p.Follow(b.ctx, 0, func(f runtime.Frame) error {
			said += string(f.Data)
			if strings.Contains(said, "\n") {
				addr <- strings.Fields(said)[1]
				return fmt.Errorf("seen")
			}
			return nil
		})
	}()
	host := <-addr + ":80"
	if got := b.run(shell(reach(host))); !strings.HasSuffix(got.out, "not\n") {
		t.Errorf("a neighbour was reached at %s: %+v", host, got)
	}
	if c, err := net.Dial("tcp", host); err != nil {
		t.Logf("this machine itself does not reach containers: %v", err)
	} else {
		c.Close()
	}
	if err := p.Stop(b.ctx, 0); err != nil {
		t.Error(err)
	}
}

// A second machine: a namespace with an address of its own beyond this one.
func TestWorld(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if b.rootless || b.Network() != "" {
		t.Log("making a neighbour machine needs root: ", b.Network())
		return
	}
	world := newWorld(t)
	if got := b.run(shell(reach(world))); !strings.HasSuffix(got.out, "reached\n") {
		t.Errorf("the world was not reached at %s: %+v", world, got)
	}
	denied := setup(t, func(o *Options) { o.DenyOutbound = prefixes(t, world) })
	if got := denied.run(shell(reach(world))); !strings.HasSuffix(got.out, "not\n") {
		t.Errorf("a denied address was reached: %+v", got)
	}
}
