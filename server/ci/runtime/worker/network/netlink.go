package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A few rtnetlink requests, written out so that starting a container needs no
// extra processes: `ip` costs several milliseconds a call.

// vethPeer is VETH_INFO_PEER of linux/veth.h.
const vethPeer = 1

type message struct{ b []byte }

func newMessage(kind uint16, flags uint16) *message {
	m := &message{b: make([]byte, unix.SizeofNlMsghdr, 256)}
	binary.NativeEndian.PutUint16(m.b[4:], kind)
	binary.NativeEndian.PutUint16(m.b[6:], flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	return m
}

// link appends an ifinfomsg.
func (m *message) link(index int, flags, change uint32) *message {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	binary.NativeEndian.PutUint32(b[12:], change)
	m.b = append(m.b, b...)
	return m
}

func (m *message) attr(kind uint16, data []byte) *message {
	m.b = binary.NativeEndian.AppendUint16(m.b, uint16(4+len(data)))
	m.b = binary.NativeEndian.AppendUint16(m.b, kind)
	m.b = append(m.b, data...)
	for len(m.b)%4 != 0 {
		m.b = append(m.b, 0)
	}
	return m
}

// nest appends what fill appends as one nested attribute.
func (m *message) nest(kind uint16, fill func()) *message {
	at := len(m.b)
	m.attr(kind, nil)
	fill()
	binary.NativeEndian.PutUint16(m.b[at:], uint16(len(m.b)-at))
	return m
}

func text(s string) []byte { return append([]byte(s), 0) }

func number(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// send asks the kernel in the network namespace of the calling thread and waits
// for its answer.
func (m *message) send() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	binary.NativeEndian.PutUint32(m.b, uint32(len(m.b)))
	if err := unix.Sendto(fd, m.b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("unexpected netlink answer of %d bytes", n)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// addVeth makes the pair: name here, peer in the namespace of the open file nsfd.
func addVeth(name, peer string, nsfd int) error {
	m := newMessage(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL).link(0, 0, 0)
	m.attr(unix.IFLA_IFNAME, text(name))
	m.nest(unix.IFLA_LINKINFO, func() {
		m.attr(unix.IFLA_INFO_KIND, []byte("veth"))
		m.nest(unix.IFLA_INFO_DATA, func() {
			m.nest(vethPeer, func() {
				m.link(0, 0, 0)
				m.attr(unix.IFLA_IFNAME, text(peer))
				m.attr(unix.IFLA_NET_NS_FD, number(uint32(nsfd)))
			})
		})
	})
	return m.send()
}

func linkUp(index int) error {
	return newMessage(unix.RTM_NEWLINK, 0).link(index, unix.IFF_UP, unix.IFF_UP).send()
}

func deleteLink(index int) error {
	return newMessage(unix.RTM_DELLINK, 0).link(index, 0, 0).send()
}

func addAddress(index int, addr netip.Addr) error {
	m := newMessage(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	b := make([]byte, unix.SizeofIfAddrmsg)
	b[0], b[1] = unix.AF_INET, 32
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	m.b = append(m.b, b...)
	ip := addr.As4()
	return m.attr(unix.IFA_LOCAL, ip[:]).attr(unix.IFA_ADDRESS, ip[:]).send()
}

// addRoute sends what goes to the prefix through the interface, by way of gateway
// when that is valid.
func addRoute(index int, to netip.Prefix, gateway netip.Addr) error {
	m := newMessage(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	scope := byte(unix.RT_SCOPE_LINK)
	if gateway.IsValid() {
		scope = unix.RT_SCOPE_UNIVERSE
	}
	m.b = append(m.b, unix.AF_INET, byte(to.Bits()), 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, scope, unix.RTN_UNICAST, 0, 0, 0, 0)
	if to.Bits() > 0 {
		ip := to.Addr().As4()
		m.attr(unix.RTA_DST, ip[:])
	}
	if gateway.IsValid() {
		ip := gateway.As4()
		m.attr(unix.RTA_GATEWAY, ip[:])
	}
	return m.attr(unix.RTA_OIF, number(uint32(index))).send()
}
