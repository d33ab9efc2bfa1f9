package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/apply"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/rollback"
)

// needed is the free space below which a node cannot stage a bundle of usual size.
const needed = 2 << 30

// examination collects what doctor finds.
type examination struct {
	*call
	bad int
}

func (e *examination) say(ok bool, what, fix string) {
	word := "ok  "
	if !ok {
		word, e.bad = "FAIL", 1
		what += ": " + fix
	}
	fmt.Fprintln(e.stdout, word, what)
}

// runDoctor returns 0 for a fit machine, 1 for another.
func runDoctor(ctx context.Context, c *call) int {
	if !c.parse(0) {
		return exitUsage
	}
	e := &examination{call: c}
	e.programs(ctx)
	if err := os.MkdirAll(c.state, 0o755); err != nil {
		e.say(false, "state folder", err.Error())
		return e.bad
	}
	free, err := host.Free(c.state)
	if err != nil {
		e.say(false, "free space", err.Error())
		return e.bad
	}
	e.say(free >= needed, fmt.Sprintf("free space in %s: %d MB", c.state, free>>20), fmt.Sprintf("staging wants %d MB", needed>>20))
	e.snapshots(ctx)
	e.identity(ctx)
	return e.bad
}

func (e *examination) programs(ctx context.Context) {
	machine, err := e.machine().Machine()
	e.say(err == nil, "package manager", "neither dpkg nor rpm is here; bundles are for these two families")
	if err == nil {
		fmt.Fprintln(e.stdout, "    ", machine.Variant(), "with", machine.PackageSystem)
		if system, err := packages.For(e.machine(), machine); err == nil {
			broken, err := system.Broken(ctx)
			e.say(err == nil && broken == "", "packages are in order", strings.TrimSpace(fmt.Sprint(broken, " ", err)))
		}
	}
	_, systemd := exec.LookPath("systemctl")
	e.say(systemd == nil, "systemd", "the agent's units need it")
	e.say(os.Geteuid() == 0, "root", "installing packages needs it; run as root")
}

// snapshots says which way back there is; neither is a fault.
func (e *examination) snapshots(ctx context.Context) {
	d := &rollback.Btrfs{Root: e.machine(), State: e.state, Info: "/proc/self/mountinfo"}
	if err := d.Probe(ctx, rollback.Point{}); err != nil {
		fmt.Fprintln(e.stdout, "ok   rollback by package files (no snapshots:", err.Error()+")")
		return
	}
	fmt.Fprintln(e.stdout, "ok   rollback by btrfs snapshots")
}

// identity looks at what enrolment left, where it has happened.
func (e *examination) identity(ctx context.Context) {
	id, err := portal.ReadIdentity(e.net())
	if err != nil {
		fmt.Fprintln(e.stdout, "    ", err)
		return
	}
	fmt.Fprintln(e.stdout, "     node", id.Node, "of", id.URL)
	e.skew(ctx, id)
	trust, err := bundle.OpenTrust(e.work() + "/trust")
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(e.stdout, "     there is no trusted root yet; the portal's first one will be")
		return
	}
	if err != nil {
		e.say(false, "trusted root", err.Error())
		return
	}
	view, err := trust.View()
	if err != nil {
		fmt.Fprintln(e.stdout, "     nothing has been staged yet under the trusted root")
		return
	}
	left := time.Until(view.Root.Expires)
	e.say(left > 0, fmt.Sprintf("root metadata %d, good until %s", view.Root.Version, view.Root.Expires.Format(time.DateOnly)), "it has expired; a new root must be signed and published")
	if left > 0 && left < 90*24*time.Hour {
		fmt.Fprintln(e.stdout, "     the root expires within 90 days")
	}
	if st, err := (apply.Remote{Path: e.socket}).Status(ctx); err == nil {
		fmt.Fprintln(e.stdout, "ok   the worker answers, state", st.Record.Run.State)
	}
}

// skew compares clocks with the portal, where it is reached.
func (e *examination) skew(ctx context.Context, id portal.Identity) {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	client, err := portal.New(e.net(), id, time.Now)
	if err != nil {
		e.say(false, "key", err.Error())
		return
	}
	answer, err := client.Get(ctx, "/edge/v1/metadata/timestamp.json", http.Header{})
	if err != nil {
		fmt.Fprintln(e.stdout, "     the portal is not reached:", err)
		return
	}
	if err := answer.Body.Close(); err != nil {
		fmt.Fprintln(e.stdout, "    ", err)
	}
	off := client.Offset()
	e.say(off == 0, "clock", fmt.Sprintf("it is off by %s", off.Round(time.Hour)))
	if answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized {
		e.say(false, "the portal knows this node", "it answered "+answer.Status)
	}
}
