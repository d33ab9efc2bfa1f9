package network

import "net/netip"

// Kind says how a container is connected.
type Kind string

// The kinds of network.
const (
	None  Kind = "none"  // only its own loopback
	Veth  Kind = "veth"  // a pair of interfaces to this machine (root)
	Slirp Kind = "slirp" // user-mode network (not root)
)

// Plan is what a supervisor needs to connect one container.
type Plan struct {
	Kind Kind
	// Prefix begins the name of the host's end of each pair, by which the rules know it.
	Prefix string
	// Claims is the file in which addresses are claimed by locks.
	Claims string
	// Inside are nft rules for the container's own namespace.
	Inside string
	// LocalRoutes lets packets for 127.0.0.0/8 leave the container, for Inside's
	// redirects to allowed programs on this machine.
	LocalRoutes bool
	// Programs by absolute path.
	NFT, SlirpPath string
	// HostLoopback lets slirp reach this machine's loopback (Inside limits it).
	HostLoopback bool
}

// Gateway is this machine as every container with a veth pair sees it.
var Gateway = netip.MustParseAddr("10.213.0.1")

// SlirpGateway is this machine as a container behind slirp4netns sees it.
var SlirpGateway = netip.MustParseAddr("10.0.2.2")

// pool is where containers' addresses come from.
var pool = netip.MustParsePrefix("10.213.0.0/16")

// HostName is the name under which containers reach what is allowed of this machine.
const HostName = "host.signalbox.internal"
