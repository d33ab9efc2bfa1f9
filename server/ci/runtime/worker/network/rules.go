package network

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// target is one thing that containers may reach; Port 0 is every port.
type target struct {
	net  netip.Prefix
	port uint16
}

type targets []target

// parseAllow understands the entries of outbound.allow. Names are looked up once.
func parseAllow(entries []string) (targets, error) {
	var out targets
	for _, e := range entries {
		e = strings.TrimSpace(e)
		if p, err := netip.ParsePrefix(e); err == nil {
			out = append(out, target{net: p.Masked()})
			continue
		}
		host, port := e, uint16(0)
		if h, p, err := net.SplitHostPort(e); err == nil {
			n, err := strconv.ParseUint(p, 10, 16)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("outbound.allow entry %q: %w", e, errAllow)
			}
			host, port = h, uint16(n)
		}
		addrs, err := addressesOf(host)
		if err != nil {
			return nil, fmt.Errorf("outbound.allow entry %q: %w", e, err)
		}
		for _, a := range addrs {
			out = append(out, target{net: netip.PrefixFrom(a, a.BitLen()), port: port})
		}
	}
	return out, nil
}

func addressesOf(host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	if host == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	if host == "" || strings.ContainsAny(host, "/ ") {
		return nil, errAllow
	}
	names, err := net.LookupHost(host)
	if err != nil {
		return nil, nil // a name that does not exist (any more) allows nothing; the server must still start
	}
	var out []netip.Addr
	for _, n := range names {
		if a, err := netip.ParseAddr(n); err == nil {
			out = append(out, a.Unmap())
		}
	}
	return out, nil
}

// loopback tells whether some entry needs the way to this machine's own loopback.
func (ts targets) loopback() bool {
	for _, t := range ts {
		if t.local() {
			return true
		}
	}
	return false
}

// local entries are single programs on this machine's loopback.
func (t target) local() bool { return t.net.Addr().Is4() && t.net.Addr().IsLoopback() && t.port != 0 }

// match is the nft expression of a target.
func (t target) match() string {
	m := "ip daddr " + t.net.String()
	if t.port != 0 {
		m += fmt.Sprintf(" tcp dport %d", t.port)
	}
	return m
}

// rules are written as text for nft.
type rules struct {
	table, prefix string
	allow         targets
	deny          []netip.Prefix
	resolvers     []netip.Addr
}

// never are networks that no container reaches unless allowed: loopback, link-local
// (with the cloud's metadata service), other containers, multicast and reserved.
var never = []string{"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"}

func (r rules) denied() string {
	list := append([]string{}, never...)
	list = append(list, pool.String())
	for _, p := range r.deny {
		if p.Addr().Is4() && !p.Overlaps(pool) {
			list = append(list, p.Masked().String())
		}
	}
	// One rule per network: an nft set refuses overlapping ones.
	var b strings.Builder
	for _, n := range list {
		fmt.Fprintf(&b, "    ip daddr %s reject with icmp type admin-prohibited\n", n)
	}
	return b.String()
}

// accepted are the rules for allowed destinations, used for those on this machine
// and those beyond alike.
func (r rules) accepted() string {
	var b strings.Builder
	for _, t := range r.allow {
		if t.net.Addr().Is4() && !t.local() {
			fmt.Fprintf(&b, "    %s accept\n", t.match())
		}
	}
	for _, a := range r.resolvers {
		if !a.IsLoopback() {
			fmt.Fprintf(&b, "    ip daddr %s meta l4proto { tcp, udp } th dport 53 accept\n", a)
		}
	}
	return b.String()
}

// redirects lead from the gateway's address to allowed programs on this machine's loopback.
func (r rules) redirects() string {
	var b strings.Builder
	for _, t := range r.allow {
		if t.local() {
			fmt.Fprintf(&b, "    iifname \"%s*\" ip daddr %s tcp dport %d dnat ip to %s:%d\n", r.prefix, Gateway, t.port, t.net.Addr(), t.port)
		}
	}
	for _, a := range r.resolvers {
		if a.IsLoopback() {
			fmt.Fprintf(&b, "    iifname \"%s*\" ip daddr %s udp dport 53 dnat ip to %s:53\n", r.prefix, Gateway, a)
			fmt.Fprintf(&b, "    iifname \"%s*\" ip daddr %s tcp dport 53 dnat ip to %s:53\n", r.prefix, Gateway, a)
			break
		}
	}
	return b.String()
}

// host is the whole table on this machine, replacing an older one in one step.
func (r rules) host() string {
	return fmt.Sprintf(`table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
%[3]s  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    iifname != "%[2]s*" accept
    meta nfproto ipv6 drop
    ip saddr != %[6]s drop
    ct state established,related accept
    ct status dnat ct original ip daddr %[7]s accept
%[4]s    reject with icmp type admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    oifname "%[2]s*" ct state established,related accept
    oifname "%[2]s*" drop
    iifname != "%[2]s*" accept
    meta nfproto ipv6 drop
    ip saddr != %[6]s drop
    ct state established,related accept
    ct status dnat reject with icmp type admin-prohibited
%[4]s%[5]s    accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr %[6]s ip daddr != %[6]s masquerade
  }
}
`, r.table, r.prefix, r.redirects(), r.accepted(), r.denied(), pool, Gateway)
}

// local127 sends the container's own connections to allowed loopback addresses to
// the machine, so that http://127.0.0.1:5000 means the same inside and outside.
func (r rules) local127(gateway netip.Addr) string {
	var b strings.Builder
	b.WriteString("table ip signalbox_local {\n  chain output {\n    type nat hook output priority -100; policy accept;\n")
	for _, t := range r.allow {
		if t.local() {
			fmt.Fprintf(&b, "    ip daddr %s tcp dport %d dnat to %s:%d\n", t.net.Addr(), t.port, gateway, t.port)
		}
	}
	b.WriteString("  }\n  chain postrouting {\n    type nat hook postrouting priority 100; policy accept;\n    oifname != \"lo\" masquerade\n  }\n}\n")
	return b.String()
}

func (r rules) insideVeth() string { return r.local127(Gateway) }

// insideSlirp holds all rules for a container behind slirp4netns, which itself
// knows no forbidden addresses. The container's root has no rights over them: the
// namespace belongs to the supervisor.
func (r rules) insideSlirp(own []netip.Addr) string {
	var b strings.Builder
	b.WriteString("table inet signalbox {\n  chain output {\n    type filter hook output priority 10; policy accept;\n")
	b.WriteString("    oifname \"lo\" accept\n    meta nfproto ipv6 drop\n    ct state established,related accept\n")
	b.WriteString("    ip daddr 10.0.2.3 meta l4proto { tcp, udp } th dport 53 accept\n")
	for _, t := range r.allow {
		if t.local() {
			fmt.Fprintf(&b, "    ip daddr %s tcp dport %d accept\n", SlirpGateway, t.port)
		}
	}
	b.WriteString(r.accepted())
	b.WriteString(r.denied())
	b.WriteString("    ip daddr 10.0.2.0/24 reject with icmp type admin-prohibited\n")
	for _, a := range own {
		fmt.Fprintf(&b, "    ip daddr %s reject with icmp type admin-prohibited\n", a)
	}
	b.WriteString("  }\n}\n")
	if r.allow.loopback() {
		b.WriteString(r.local127(SlirpGateway))
	}
	return b.String()
}
