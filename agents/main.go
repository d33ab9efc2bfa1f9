// Command signalbox-agent runs on edge nodes: it stages bundles ahead of time,
// verifies and installs them without a network in their window, and takes them
// back by itself when the machine is not well afterwards.
//
// It has two halves. `run` talks to the portal and has no rights; `worker` has
// all rights and talks to nobody but `run`, over a socket. The exit codes are
// those of agents/protocol.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/protocol"
)

var version = "dev"

// exitUsage is that of a command which was written wrongly. It is 64 as in
// sysexits.h, because 2 means a damaged bundle.
const exitUsage = 64

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is one word of the command line.
type command struct {
	name, usage string
	run         func(ctx context.Context, c *call) int
}

func commands() []command {
	return []command{
		{"enroll", "enroll --url URL --token TOKEN [--name NAME] [--site SITE] [--label K=V]… [--ca-file FILE] [--trust FILE]", enroll},
		{"run", "run                    the half that talks to the portal", runNetwork},
		{"worker", "worker                 the half that installs", runWorker},
		{"apply", "apply FILE.epb         install a bundle that was carried here", applyFile},
		{"status", "status [--json]        what the agent is doing", status},
		{"rollback", "rollback               take the last bundle back", takeBack},
		{"rotate", "rotate                 give the node a new key", rotate},
		{"doctor", "doctor                 whether this machine is fit to be a node", runDoctor},
		{"version", "version", showVersion},
	}
}

// call is one command line: flags that every command has, and its own.
type call struct {
	flags          *flag.FlagSet
	args           []string
	stdout, stderr io.Writer
	state, root    string
	socket         string
	killAt         int // a write of the journal at which tests want the process dead
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var usage strings.Builder
	usage.WriteString("usage: signalbox-agent COMMAND [--state-dir DIR] [--root DIR]\n")
	for _, c := range commands() {
		if len(args) > 0 && args[0] == c.name {
			k := &call{flags: flag.NewFlagSet(c.name, flag.ContinueOnError), args: args[1:], stdout: stdout, stderr: stderr}
			k.flags.SetOutput(stderr)
			k.flags.StringVar(&k.state, "state-dir", "/var/lib/signalbox-agent", "folder for bundles, journal and keys")
			k.flags.StringVar(&k.root, "root", "/", "top folder of the machine to look after")
			k.flags.StringVar(&k.socket, "socket", "/run/signalbox-agent/worker.sock", "where the two halves meet")
			k.flags.IntVar(&k.killAt, "kill-at", 0, "for tests: die at this write of the journal")
			return c.run(ctx, k)
		}
		usage.WriteString("  " + c.usage + "\n")
	}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage.String())
		return exitUsage
	}
	fmt.Fprintf(stderr, "signalbox-agent: there is no command %q\n%s", args[0], usage.String())
	return exitUsage
}

// parse reads the flags and wants so many arguments beside them, before or after.
func (c *call) parse(args int) bool {
	var rest []string
	for left := c.args; ; {
		if c.flags.Parse(left) != nil {
			return false
		}
		if left = c.flags.Args(); len(left) == 0 {
			break
		}
		rest, left = append(rest, left[0]), left[1:]
	}
	c.args = rest
	if len(rest) != args {
		fmt.Fprintf(c.stderr, "signalbox-agent %s: %d arguments are wanted, %d were given\n", c.flags.Name(), args, len(rest))
		return false
	}
	return true
}

func (c *call) fail(err error) int {
	fmt.Fprintln(c.stderr, "signalbox-agent:", err)
	return int(protocol.ExitInternal)
}

// net is the network half's folder, work the other's.
func (c *call) net() string  { return filepath.Join(c.state, "net") }
func (c *call) work() string { return filepath.Join(c.state, "worker") }

func (c *call) machine() host.Root { return host.Root(c.root) }

func showVersion(_ context.Context, c *call) int {
	if !c.parse(0) {
		return exitUsage
	}
	fmt.Fprintf(c.stdout, "signalbox-agent %s %s/%s\n", version, runtime.GOOS, runtime.GOARCH)
	return 0
}
