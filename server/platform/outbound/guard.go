package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Resolver turns names into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Guard decides what may be dialled, and dials it.
type Guard struct {
	rules    []rule
	resolver Resolver
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// New makes a guard; allow holds the entries of outbound.allow.
func New(allow []string) (*Guard, error) {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	g := &Guard{resolver: net.DefaultResolver, dial: dialer.DialContext}
	for _, entry := range allow {
		r, err := parseRule(entry)
		if err != nil {
			return nil, err
		}
		g.rules = append(g.rules, r)
	}
	return g, nil
}

// WithResolver is the same guard with names resolved by r.
func (g *Guard) WithResolver(r Resolver) *Guard {
	other := *g
	other.resolver = r
	return &other
}

// Refused is the cause of a refusal, for those who must tell it from a failure.
type Refused struct {
	Host   string
	Addr   netip.Addr
	Reason string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("%s is %s, a %s address, and not in outbound.allow", r.Host, r.Addr, r.Reason)
}

// IsRefused reports whether err is, or was caused by, a refusal.
func IsRefused(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}

// Check reports whether host, resolved to that address, may be dialled.
func (g *Guard) Check(host string, to netip.AddrPort) error {
	reason := Inside(to.Addr())
	if reason == "" {
		return nil
	}
	for _, r := range g.rules {
		if r.allows(host, to) {
			return nil
		}
	}
	return problem.Wrap(&Refused{Host: host, Addr: to.Addr(), Reason: reason}, problem.Forbidden,
		"This server does not connect to %s: %s is a %s address. An administrator can list it in outbound.allow.", host, to.Addr(), reason)
}

// Resolve returns the addresses behind address ("host:port") that may be
// dialled; the refusal when there are none.
func (g *Guard) Resolve(ctx context.Context, network, address string) ([]netip.AddrPort, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, fmt.Errorf("outbound: network %q is not dialled", network)
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("outbound: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || port == 0 {
		return nil, fmt.Errorf("outbound: %q is not a port number", portText)
	}
	addrs, err := g.lookup(ctx, network, host)
	if err != nil {
		return nil, err
	}
	var allowed []netip.AddrPort
	var refusal error
	for _, ip := range addrs {
		to := netip.AddrPortFrom(ip.Unmap(), uint16(port))
		if err := g.Check(host, to); err != nil {
			refusal = err
			continue
		}
		allowed = append(allowed, to)
	}
	if len(allowed) == 0 {
		if refusal == nil {
			refusal = problem.New(problem.Upstream, "The name %s has no address.", host)
		}
		return nil, refusal
	}
	return allowed, nil
}

func (g *Guard) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	addrs, err := g.resolver.LookupNetIP(ctx, "ip"+network[len("tcp"):], host)
	if err != nil {
		return nil, problem.Wrap(err, problem.Upstream, "The name %s could not be resolved.", host)
	}
	return addrs, nil
}

// DialContext connects to the first allowed address that answers. It dials the
// address it has checked, so a second answer of the DNS changes nothing.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	allowed, err := g.Resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, to := range allowed {
		conn, err := g.dial(ctx, network, to.String())
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}
