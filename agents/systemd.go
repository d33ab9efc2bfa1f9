package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// inherited is the socket that systemd opened for this process; nil: it did not.
func inherited() (net.Listener, error) {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() || os.Getenv("LISTEN_FDS") != "1" {
		return nil, nil
	}
	f := os.NewFile(3, "systemd's socket") // the first that the protocol hands over
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("take over systemd's socket: %w", err)
	}
	return l, f.Close()
}
