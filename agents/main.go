// Command signalbox-agent runs on edge nodes. So far it can say whether a
// machine is fit to be one; enrolment and bundles come with the edge capability.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

var version = "dev"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 0 fit, 1 not fit, 2 wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "usage: signalbox-agent version | doctor [--state-dir DIR]")
		return 2
	}
	switch args[0] {
	case "version":
		fmt.Fprintf(stdout, "signalbox-agent %s %s/%s\n", version, runtime.GOOS, runtime.GOARCH)
		return 0
	case "doctor":
		flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
		flags.SetOutput(stderr)
		dir := flags.String("state-dir", "/var/lib/signalbox-agent", "folder for bundles, journal and key")
		if flags.Parse(args[1:]) != nil {
			return 2
		}
		return doctor(*dir, stdout)
	}
	fmt.Fprintf(stderr, "signalbox-agent: there is no command %q; use version or doctor\n", args[0])
	return 2
}

// needed is the free space below which a node cannot stage a bundle of usual size.
const needed = 2 << 30

func doctor(dir string, out io.Writer) int {
	bad := 0
	say := func(ok bool, what, fix string) {
		word := "ok  "
		if !ok {
			word, bad = "FAIL", 1
			what += ": " + fix
		}
		fmt.Fprintln(out, word, what)
	}
	_, apt := exec.LookPath("dpkg")
	_, rpm := exec.LookPath("rpm")
	say(apt == nil || rpm == nil, "package manager", "neither dpkg nor rpm is here; bundles are for these two families")
	_, systemd := exec.LookPath("systemctl")
	say(systemd == nil, "systemd", "the agent's units need it")
	say(os.Geteuid() == 0, "root", "installing packages needs it; run as root")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		say(false, "state folder", err.Error())
		return bad
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		say(false, "free space", err.Error())
		return bad
	}
	free := fs.Bavail * uint64(fs.Bsize)
	say(free >= needed, fmt.Sprintf("free space in %s: %d MB", dir, free>>20), fmt.Sprintf("staging wants %d MB", needed>>20))
	return bad
}
