package network

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Options say what containers of one worker may reach.
type Options struct {
	// Key tells workers on one machine apart: some hex digits.
	Key      string
	Rootless bool
	Allow    []string
	Deny     []netip.Prefix
}

// Setup is the network of a worker's containers. The zero Setup has none.
type Setup struct {
	// Reason says why containers have no network; empty when they have one.
	Reason string
	plan   Plan
	rules  rules
	table  string
	// Resolv and Hosts are the lines for /etc/resolv.conf and /etc/hosts.
	Resolv, Hosts string
}

// claims is the file in which this machine's workers agree on addresses.
const claims = "/run/signalbox-network.lock"

// Prepare looks at the machine and, as root, loads the worker's rules.
func Prepare(o Options) (Setup, error) {
	allow, err := parseAllow(o.Allow)
	if err != nil {
		return Setup{}, err
	}
	s := Setup{table: "signalbox_" + o.Key, Resolv: "", Hosts: "127.0.0.1\tlocalhost\n::1\tlocalhost\n"}
	nft := Find("nft")
	if nft == "" {
		s.Reason = "Containers have no network: the program nft is missing (apt install nftables)."
		return s, nil
	}
	s.rules = rules{table: s.table, prefix: "sb" + o.Key[:4] + ".", allow: allow, deny: o.Deny}
	s.plan = Plan{NFT: nft, Prefix: s.rules.prefix, Claims: claims, LocalRoutes: allow.loopback()}
	if o.Rootless {
		return s.prepareSlirp(), nil
	}
	return s.prepareVeth()
}

func (s Setup) prepareSlirp() Setup {
	s.plan.Kind, s.plan.SlirpPath, s.plan.HostLoopback = Slirp, Find("slirp4netns"), s.rules.allow.loopback()
	if s.plan.SlirpPath == "" {
		s.Reason = "Containers have no network: the program slirp4netns is missing (apt install slirp4netns)."
	} else if tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
		s.Reason = fmt.Sprintf("Containers have no network: slirp4netns needs /dev/net/tun (%v).", err)
	} else {
		_ = tun.Close() // opened only to see whether it can be
	}
	s.Resolv = "nameserver 10.0.2.3\n"
	s.Hosts += SlirpGateway.String() + "\t" + HostName + "\n"
	return s
}

func (s Setup) prepareVeth() (Setup, error) {
	s.plan.Kind = Veth
	s.rules.resolvers, s.Resolv = resolvers(readText)
	s.Hosts += Gateway.String() + "\t" + HostName + "\n"
	if s.plan.LocalRoutes {
		s.plan.Inside = s.rules.insideVeth()
	}
	if err := s.Load(); err != nil {
		s.Reason = fmt.Sprintf("Containers have no network: %v.", err)
	}
	return s, nil
}

// Load puts the rules in place, again if they are there.
func (s Setup) Load() error {
	if s.plan.Kind != Veth {
		return nil
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("this machine does not forward packets: %w", err)
	}
	return s.nft(s.rules.host())
}

// Loaded tells whether the rules are still in place: a firewall that is restarted
// may throw away what it does not know.
func (s Setup) Loaded() bool {
	if s.plan.Kind != Veth || s.Reason != "" {
		return true
	}
	return exec.Command(s.plan.NFT, "list", "chain", "inet", s.table, "input").Run() == nil
}

// Unload takes the rules away.
func (s Setup) Unload() error {
	if s.plan.Kind != Veth || s.Reason != "" {
		return nil
	}
	return s.nft("table inet " + s.table + "\ndelete table inet " + s.table + "\n")
}

func (s Setup) nft(text string) error {
	cmd := exec.Command(s.plan.NFT, "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("nft refused the rules: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Plan is the network of one container.
func (s Setup) Plan(hermetic bool) (Plan, error) {
	if hermetic || s.Reason != "" || s.plan.Kind == "" {
		return Plan{Kind: None}, nil
	}
	p := s.plan
	if p.Kind == Slirp {
		own, err := ownAddresses()
		if err != nil {
			return Plan{}, err
		}
		p.Inside = s.rules.insideSlirp(own)
	}
	return p, nil
}

func ownAddresses() ([]netip.Addr, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var own []netip.Addr
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			own = append(own, p.Addr())
		}
	}
	return own, nil
}

// resolvers picks the name servers that containers use, and the resolv.conf for
// them. A resolver that listens only on this machine's loopback is reached through
// the gateway.
func resolvers(read func(string) string) ([]netip.Addr, string) {
	text := read("/etc/resolv.conf")
	if upstream := read("/run/systemd/resolve/resolv.conf"); upstream != "" && strings.Contains(text, "127.0.0.53") {
		text = upstream
	}
	var servers []netip.Addr
	var out strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			addr, err := netip.ParseAddr(f[1])
			if err != nil || !addr.Is4() || slices.Contains(servers, addr) {
				continue // containers have no IPv6
			}
			servers = append(servers, addr)
			if addr.IsLoopback() {
				addr = Gateway
			}
			fmt.Fprintf(&out, "nameserver %s\n", addr)
		case "search", "options":
			out.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	return servers, out.String()
}

func readText(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return "" // a missing file has no servers
	}
	return string(data)
}

// Find looks for a program, also where an unprivileged user's PATH does not.
func Find(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		if abs, err := filepath.Abs(p); err == nil {
			return abs
		}
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"} {
		p := filepath.Join(dir, name)
		if info, err := os.Stat(p); err == nil && info.Mode()&0o111 != 0 {
			return p
		}
	}
	return ""
}

var errAllow = errors.New(`it must be "host:port", an address, or a network such as 10.1.0.0/16`)
