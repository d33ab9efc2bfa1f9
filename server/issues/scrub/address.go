package scrub

import (
	"net/netip"
	"strings"
)

// address applies the IP mode to what stands behind an address's key, as member does.
func (r *run) address(v string) (any, bool) {
	if strings.HasPrefix(v, "ip-") || v == "{{auto}}" {
		return v, false // hashed before, or not known yet
	}
	var out any
	switch r.rules.IP {
	case DropIP:
	case TruncateIP:
		cut := truncateAll(v)
		if cut == v {
			return v, false
		}
		out = cut
	default:
		out = r.hash("ip-", v)
	}
	r.note("IP address")
	return out, true
}

// truncateAll cuts each address of a list, as proxies write it; what is none is masked.
func truncateAll(list string) string {
	parts := strings.Split(list, ",")
	for i, p := range parts {
		parts[i] = truncate(strings.TrimSpace(p))
	}
	return strings.Join(parts, ", ")
}

func truncate(v string) string {
	a, err := netip.ParseAddr(v)
	if err != nil {
		port, portErr := netip.ParseAddrPort(v)
		if portErr != nil {
			return Filtered
		}
		a = port.Addr()
	}
	a = a.Unmap().WithZone("")
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return Filtered
	}
	return p.Masked().Addr().String()
}
