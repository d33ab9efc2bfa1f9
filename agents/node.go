package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/apply"
	"github.com/signalbox/signalbox/agents/courier"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
)

// account is whom the network half runs as, where the machine has it.
const account = "signalbox-agent"

// labels is a flag that may come several times.
type labels map[string]string

func (l labels) String() string { return "" }

func (l labels) Set(pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok || key == "" {
		return errors.New("a label is KEY=VALUE")
	}
	l[key] = value
	return nil
}

func enroll(ctx context.Context, c *call) int {
	in := protocol.EnrollRequest{Labels: map[string]string{}, Agent: version}
	var id portal.Identity
	var ca, trust string
	c.flags.StringVar(&id.URL, "url", "", "the portal's address")
	c.flags.StringVar(&in.Token, "token", "", "what the portal's enrolment page gave; - reads it from standard input")
	c.flags.StringVar(&in.Name, "name", "", "the node's name; empty: the machine's")
	c.flags.StringVar(&in.Site, "site", "", "where it stands")
	c.flags.Var(labels(in.Labels), "label", "KEY=VALUE, several times")
	c.flags.StringVar(&ca, "ca-file", "", "PEM of who signed the portal's certificate, beside the system's own")
	c.flags.StringVar(&trust, "trust", "", "the first root metadata, carried here; empty: the portal's is pinned")
	if !c.parse(0) {
		return exitUsage
	}
	if id.URL == "" || in.Token == "" {
		fmt.Fprintln(c.stderr, "signalbox-agent enroll: --url and --token are wanted")
		return exitUsage
	}
	if err := c.enrolled(ctx, in, id, ca, trust); err != nil {
		return c.fail(err)
	}
	return 0
}

func (c *call) enrolled(ctx context.Context, in protocol.EnrollRequest, id portal.Identity, ca, trust string) (err error) {
	if in.Token == "-" {
		var token string
		if _, err := fmt.Fscan(os.Stdin, &token); err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		in.Token = token
	}
	if ca != "" {
		raw, err := os.ReadFile(ca)
		if err != nil {
			return fmt.Errorf("read the certificate authority: %w", err)
		}
		id.CA = string(raw)
	}
	if in.Machine, err = c.machine().Machine(); err != nil {
		return err
	}
	if in.Name == "" {
		in.Name = in.Machine.Hostname
	}
	for _, dir := range []string{c.state, c.net(), c.work()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Chmod(c.net(), 0o700), os.Chmod(c.work(), 0o700)); err != nil {
		return err
	}
	client, err := portal.New(c.net(), id, time.Now)
	if err != nil {
		return err
	}
	answer, err := client.Enroll(ctx, in)
	if err != nil {
		return err
	}
	if err := c.pin(answer, trust); err != nil {
		return err
	}
	id.Node, id.Name, id.Interval = answer.Node, in.Name, answer.IntervalSeconds
	// The worker believes its own copy, which only root can change.
	if err := errors.Join(id.Write(c.work()), id.Write(c.net()), giveAway(c.net())); err != nil {
		return err
	}
	key, err := portal.Key(c.net(), nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "node %s is %s\nfingerprint %s\n", answer.Node, answer.State, portal.FingerprintOf(key))
	return nil
}

// pin trusts the first root: one that was carried here, or the portal's.
func (c *call) pin(answer protocol.EnrollAnswer, trust string) error {
	var roots [][]byte
	for _, r := range answer.Root {
		roots = append(roots, r)
	}
	if trust != "" {
		raw, err := os.ReadFile(trust)
		if err != nil {
			return fmt.Errorf("read the trusted root: %w", err)
		}
		if len(roots) > 0 && !bytes.Equal(compact(roots[0]), compact(raw)) {
			fmt.Fprintln(c.stderr, "signalbox-agent: the portal's first root is another one; the carried one counts")
		}
		roots = [][]byte{raw}
	}
	if len(roots) == 0 {
		fmt.Fprintln(c.stderr, "signalbox-agent: the portal has no root yet; the first one it gets will be pinned")
		return nil
	}
	w, err := c.worker()
	if err != nil {
		return err
	}
	if err := w.Pin(roots); err != nil {
		return err
	}
	return courier.Pin(c.net(), roots)
}

func compact(raw []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// giveAway makes the network half's folder its account's, where there is one.
func giveAway(dir string) error {
	uid, gid, ok := accountIDs()
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}

func accountIDs() (uid, gid int, ok bool) {
	u, err := user.Lookup(account)
	if err != nil {
		return 0, -1, false
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, err1 == nil && err2 == nil
}

func (c *call) log() *slog.Logger { return slog.New(slog.NewTextHandler(c.stderr, nil)) }

// worker is the half that installs, in this process.
func (c *call) worker() (*apply.Worker, error) {
	return apply.New(apply.Options{Dir: c.work(), Root: c.machine(), Spool: courier.Spool(c.net()), Agent: version, Now: time.Now, Log: c.log(),
		Power: "/sys/class/power_supply", Wrote: killAt(c.killAt),
		Identity: func() (string, string) {
			id, err := portal.ReadIdentity(c.work())
			if err != nil {
				return "", "" // not enrolled: orders are for nobody, carried bundles still work
			}
			return id.Node, id.Name
		}})
}

// killAt ends the process hard at one write of the journal: how the tests see
// that a power cut there does no harm.
func killAt(n int) func(int) {
	if n == 0 {
		return nil
	}
	return func(at int) {
		if at == n {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				panic(err)
			}
			select {}
		}
	}
}

func runNetwork(ctx context.Context, c *call) int {
	if !c.parse(0) {
		return exitUsage
	}
	id, err := portal.ReadIdentity(c.net())
	if err != nil {
		return c.fail(err)
	}
	client, err := portal.New(c.net(), id, time.Now)
	if err != nil {
		return c.fail(err)
	}
	interval := time.Duration(id.Interval) * time.Second
	if interval <= 0 {
		interval = 5 * time.Minute
	}
	co, err := courier.New(courier.Options{Dir: c.net(), Root: c.machine(), Agent: version, Client: client, Worker: apply.Remote{Path: c.socket},
		Now: time.Now, Log: c.log(), Interval: interval})
	if err != nil {
		return c.fail(err)
	}
	if err := co.Run(ctx); err != nil {
		return c.fail(err)
	}
	return 0
}

func runWorker(ctx context.Context, c *call) int {
	idle := c.flags.Duration("idle", 0, "end when nobody has asked for so long; 0: never")
	activated := c.flags.Bool("activated", false, "systemd has opened the socket")
	if !c.parse(0) {
		return exitUsage
	}
	w, err := c.worker()
	if err != nil {
		return c.fail(err)
	}
	_, group, _ := accountIDs()
	var l net.Listener
	if *activated {
		l, err = inherited()
	} else {
		l, err = apply.Listen(c.socket, group)
	}
	if err != nil {
		return c.fail(err)
	}
	// What the last start of this machine left in its middle comes first. The
	// socket answers status meanwhile.
	served := make(chan error, 1)
	go func() { served <- w.Serve(ctx, l, *idle) }()
	if out := w.Recover(ctx); out.Exit != protocol.ExitOK {
		c.log().Warn("after the start", "state", out.State, "exit", int(out.Exit), "message", out.Message)
	}
	if err := <-served; err != nil {
		return c.fail(err)
	}
	return 0
}

func (c *call) outcome(out apply.Outcome) int {
	text := out.Message
	if text == "" {
		text = out.Exit.String()
	}
	fmt.Fprintf(c.stdout, "%s: %s\n", out.State, text)
	return int(out.Exit)
}

func applyFile(ctx context.Context, c *call) int {
	var hand apply.Hand
	var url, unit, exec, trust string
	row := c.flags.Int("successes-in-row", 3, "how often the checks must hold one after the other")
	limit := c.flags.Duration("health-timeout", 2*time.Minute, "for the checks")
	c.flags.DurationVar(&hand.Timeout, "timeout", 30*time.Minute, "for the package manager")
	c.flags.StringVar(&url, "health-url", "", "a page of this machine that must answer afterwards")
	c.flags.StringVar(&unit, "health-unit", "", "a unit that must be active afterwards")
	c.flags.StringVar(&exec, "health-exec", "", "a program that must end with 0 afterwards")
	c.flags.StringVar(&hand.Reboot, "reboot", "never", "never, ifNeeded or always")
	c.flags.StringVar(&hand.HoldPolicy, "held", "refuse", "refuse, or skip to leave held packages")
	c.flags.BoolVar(&hand.NoWayBack, "no-rollback", false, "install although the machine could not go back")
	c.flags.BoolVar(&hand.Force, "force", false, "install although the bundle is in quarantine")
	c.flags.StringVar(&trust, "trust", "", "the first root metadata, for a machine that has none pinned")
	if !c.parse(1) {
		return exitUsage
	}
	hand.Health = protocol.Health{SuccessesInRow: *row, TimeoutSeconds: int64(*limit / time.Second)}
	for _, check := range []protocol.Check{{Type: "http", URL: url}, {Type: "unit", Name: unit}, {Type: "exec", Path: exec}} {
		if check.URL+check.Name+check.Path != "" {
			hand.Health.Checks = append(hand.Health.Checks, check)
		}
	}
	w, err := c.worker()
	if err == nil && trust != "" {
		var raw []byte
		if raw, err = os.ReadFile(trust); err == nil {
			err = w.Pin([][]byte{raw})
		}
	}
	if err != nil {
		return c.fail(err)
	}
	return c.outcome(w.File(ctx, c.args[0], hand))
}

func takeBack(ctx context.Context, c *call) int {
	if !c.parse(0) {
		return exitUsage
	}
	w, err := c.worker()
	if err != nil {
		return c.fail(err)
	}
	return c.outcome(w.Back(ctx))
}

func rotate(ctx context.Context, c *call) int {
	if !c.parse(0) {
		return exitUsage
	}
	id, err := portal.ReadIdentity(c.net())
	if err != nil {
		return c.fail(err)
	}
	client, err := portal.New(c.net(), id, time.Now)
	if err != nil {
		return c.fail(err)
	}
	fingerprint, err := client.Rotate(ctx)
	if err = errors.Join(err, giveAway(c.net())); err != nil {
		return c.fail(err)
	}
	fmt.Fprintln(c.stdout, "fingerprint", fingerprint)
	return 0
}

// status shows what the journal says; it needs no lock and no network.
func status(_ context.Context, c *call) int {
	whole := c.flags.Bool("json", false, "print everything")
	if !c.parse(0) {
		return exitUsage
	}
	r, err := journal.Read(c.work())
	if err != nil {
		return c.fail(err)
	}
	if *whole {
		e := json.NewEncoder(c.stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(r); err != nil {
			return c.fail(err)
		}
		return 0
	}
	fmt.Fprintln(c.stdout, "state   ", r.Run.State)
	if r.Run.Bundle != "" {
		fmt.Fprintln(c.stdout, "bundle  ", r.Run.Bundle)
	}
	if r.Current != "" {
		fmt.Fprintln(c.stdout, "current ", r.Current)
	}
	if r.LastExit != nil {
		fmt.Fprintf(c.stdout, "last exit %d (%s)\n", int(*r.LastExit), *r.LastExit)
	}
	if r.Run.Message != "" {
		fmt.Fprintln(c.stdout, "message ", r.Run.Message)
	}
	for id, q := range r.Quarantined {
		fmt.Fprintln(c.stdout, "in quarantine:", id, "since", q.Since.Format(time.RFC3339), "because", q.Reason)
	}
	for _, p := range r.Points {
		fmt.Fprintln(c.stdout, "can be taken back:", p.Bundle, "by", p.Method)
	}
	return 0
}
