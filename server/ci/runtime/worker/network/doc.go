// Package network gives a container its network: a namespace with a veth pair to
// this machine, and nftables rules that let it out to the world but not to this
// machine, its neighbours or link-local addresses. Without root it uses
// slirp4netns and rules inside the namespace.
//
// Namespaces and veth pairs belong to the supervisor's life: when its processes
// end the kernel takes them away, so nothing of a container is left behind after a
// crash. The gateway's address stays on the loopback interface until the machine
// restarts.
package network
