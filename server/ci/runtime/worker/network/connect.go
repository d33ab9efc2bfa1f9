package network

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	goruntime "runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Connection is the network of one container while its supervisor lives.
type Connection struct {
	// Path names the namespace for others.
	Path  string
	claim *os.File
	link  string
	host  *os.File
	slirp *exec.Cmd
}

// Connect moves the calling thread, which must be locked to its goroutine, into a
// new network namespace and connects that as planned. Programs started from this
// thread are in the namespace too.
func Connect(p Plan) (*Connection, error) {
	host, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	c := &Connection{host: host, Path: fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, errors.Join(fmt.Errorf("open a network namespace: %w", err), c.Close())
	}
	if err := c.setUp(p); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Connection) setUp(p Plan) error {
	if err := linkUp(1); err != nil {
		return fmt.Errorf("start the loopback interface: %w", err)
	}
	// The namespace belongs to the parent user namespace, so the container's root
	// would otherwise not get the low ports and ping that users expect of root.
	if err := sysctl("ipv4/ip_unprivileged_port_start", "0"); err != nil {
		return err
	}
	err := sysctl("ipv4/ping_group_range", "0 2147483647")
	if errors.Is(err, unix.EINVAL) {
		err = sysctl("ipv4/ping_group_range", "0 0") // without root there is only this group
	}
	if err != nil {
		return err
	}
	switch p.Kind {
	case Veth:
		return c.veth(p)
	case Slirp:
		return c.userMode(p)
	}
	return nil
}

func (c *Connection) veth(p Plan) error {
	if err := sysctl("ipv6/conf/all/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	addr, err := c.claimAddress(p.Claims)
	if err != nil {
		return err
	}
	ip := addr.As4()
	c.link = fmt.Sprintf("%s%02x%02x", p.Prefix, ip[2], ip[3])
	inner, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer inner.Close()
	if err := c.onHost(inner, func() error { return hostEnd(c.link, int(inner.Fd()), addr, p.LocalRoutes) }); err != nil {
		return err
	}
	eth, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	err = errors.Join(addAddress(eth.Index, addr), linkUp(eth.Index))
	if err == nil {
		err = errors.Join(addRoute(eth.Index, netip.PrefixFrom(Gateway, 32), netip.Addr{}),
			addRoute(eth.Index, netip.PrefixFrom(netip.IPv4Unspecified(), 0), Gateway))
	}
	if err == nil && p.LocalRoutes {
		err = sysctl("ipv4/conf/eth0/route_localnet", "1")
	}
	if err != nil {
		return fmt.Errorf("set up the container's interface: %w", err)
	}
	return inside(p)
}

// onHost runs fn in the host's network namespace and comes back.
func (c *Connection) onHost(inner *os.File, fn func() error) error {
	if err := unix.Setns(int(c.host.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err := fn()
	return errors.Join(err, unix.Setns(int(inner.Fd()), unix.CLONE_NEWNET))
}

func hostEnd(name string, inner int, addr netip.Addr, local bool) error {
	if old, err := net.InterfaceByName(name); err == nil {
		// The address was free, so this one's container is dead or dying.
		if err := deleteLink(old.Index); err != nil {
			return fmt.Errorf("remove the old interface %s: %w", name, err)
		}
	}
	if err := addVeth(name, "eth0", inner); err != nil {
		return fmt.Errorf("make the interfaces %s: %w", name, err)
	}
	link, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	// No IPv6: link-local addresses of this machine would be reachable over it.
	if err := sysctl("ipv6/conf/"+name+"/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if local {
		if err := sysctl("ipv4/conf/"+name+"/route_localnet", "1"); err != nil {
			return err
		}
	}
	err = errors.Join(sysctl("ipv4/conf/"+name+"/forwarding", "1"), claimGateway(), linkUp(link.Index))
	if err != nil {
		return fmt.Errorf("set up the interface %s: %w", name, err)
	}
	return addRoute(link.Index, netip.PrefixFrom(addr, 32), netip.Addr{})
}

// claimGateway gives this machine the gateway's address, once and on the loopback
// interface: programs such as Chromium drop their connections whenever an address
// comes or goes, so that none may do so with each container.
func claimGateway() error {
	loopback, err := net.InterfaceByIndex(1)
	if err != nil {
		return err
	}
	has, err := loopback.Addrs()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(has, func(a net.Addr) bool { return a.String() == Gateway.String()+"/32" }) {
		return nil
	}
	return addAddress(loopback.Index, Gateway)
}

// claimAddress picks a free address. The claim is a lock on the address's own byte
// of one file that all workers of this machine share; it ends with this process.
func (c *Connection) claimAddress(file string) (netip.Addr, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return netip.Addr{}, err
	}
	base := pool.Addr().As4()
	start := rand.IntN(1 << 16)
	for i := range 1 << 16 {
		n := (start + i) % (1 << 16)
		base[2], base[3] = byte(n>>8), byte(n)
		addr := netip.AddrFrom4(base)
		if base[3] == 0 || base[3] == 255 || addr == Gateway {
			continue
		}
		lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(n), Len: 1}
		if unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock) == nil {
			c.claim = f
			return addr, nil
		}
	}
	return netip.Addr{}, errors.Join(errors.New("all container addresses are taken"), f.Close())
}

// userMode connects the namespace through slirp4netns.
func (c *Connection) userMode(p Plan) error {
	args := []string{"--configure", "--mtu=65520", "--ready-fd=3", "--netns-type=path"}
	if !p.HostLoopback {
		args = append(args, "--disable-host-loopback")
	}
	ready, told, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command(p.SlirpPath, append(args, c.Path, "tap0")...)
	cmd.ExtraFiles = []*os.File{told}
	var said bytes.Buffer
	cmd.Stderr = &said
	// slirp4netns speaks for the container, so it must itself be outside: only this
	// thread has moved, every other one is still there.
	started := make(chan error)
	go func() { started <- cmd.Start() }()
	if err := <-started; err != nil {
		told.Close()
		return fmt.Errorf("start slirp4netns: %w", err)
	}
	told.Close()
	c.slirp = cmd
	if n, _ := ready.Read(make([]byte, 1)); n != 1 {
		return fmt.Errorf("slirp4netns did not connect the container: %s", strings.TrimSpace(said.String()))
	}
	if p.LocalRoutes {
		if err := sysctl("ipv4/conf/tap0/route_localnet", "1"); err != nil {
			return err
		}
	}
	return inside(p)
}

// inside loads the rules of the namespace itself.
func inside(p Plan) error {
	if p.Inside == "" {
		return nil
	}
	cmd := exec.Command(p.NFT, "-f", "-")
	cmd.Stdin = strings.NewReader(p.Inside)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load the container's network rules: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Close takes the connection away from the container.
func (c *Connection) Close() error {
	var errs []error
	if c.slirp != nil {
		errs = append(errs, c.slirp.Process.Kill())
		_ = c.slirp.Wait() // it was killed: its status says nothing
	}
	if c.link != "" {
		goruntime.LockOSThread()
		if err := unix.Setns(int(c.host.Fd()), unix.CLONE_NEWNET); err != nil {
			errs = append(errs, err)
		} else if link, err := net.InterfaceByName(c.link); err == nil {
			errs = append(errs, deleteLink(link.Index))
		}
	}
	if c.claim != nil {
		errs = append(errs, c.claim.Close())
	}
	return errors.Join(append(errs, c.host.Close())...)
}

func sysctl(name, value string) error {
	// The kernel shows the namespace of the calling thread here.
	return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
}
