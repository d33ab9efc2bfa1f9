package outbound

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// rule is one entry of outbound.allow. Port 0 is every port.
type rule struct {
	host   string
	prefix netip.Prefix
	port   uint16
}

// parseRule reads host, host:port, CIDR, IP, IP:port or [IP]:port.
func parseRule(entry string) (rule, error) {
	text := strings.TrimSpace(entry)
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return rule{prefix: unmapPrefix(prefix)}, nil
	}
	host, port := text, uint16(0)
	if _, err := netip.ParseAddr(strings.Trim(text, "[]")); err != nil && strings.Contains(text, ":") {
		h, p, err := net.SplitHostPort(text)
		if err != nil {
			return rule{}, bad(entry)
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return rule{}, bad(entry)
		}
		host, port = h, uint16(n)
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		ip = ip.WithZone("").Unmap()
		return rule{prefix: netip.PrefixFrom(ip, ip.BitLen()), port: port}, nil
	}
	host = normalize(host)
	if host == "" || strings.ContainsAny(host, "/ *@[]:?#%\\") {
		return rule{}, bad(entry)
	}
	return rule{host: host, port: port}, nil
}

func bad(entry string) error {
	return fmt.Errorf("outbound.allow: %q is neither a host, host:port, IP, IP:port nor CIDR", entry)
}

func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
	}
	return p.Masked()
}

func normalize(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

func (r rule) allows(host string, to netip.AddrPort) bool {
	if r.port != 0 && r.port != to.Port() {
		return false
	}
	if r.host != "" {
		return r.host == normalize(host)
	}
	return r.prefix.Contains(to.Addr().WithZone("").Unmap())
}
