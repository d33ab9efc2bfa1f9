package main

import (
	"fmt"
	"net"
	"os"
)

// inherited is the socket that systemd opened for this process: with its
// protocol, the first one is always descriptor 3.
func inherited() (net.Listener, error) {
	f := os.NewFile(3, "systemd's socket")
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take over systemd's socket: %w", err)
	}
	return l, f.Close()
}
