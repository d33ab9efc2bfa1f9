package courier

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/apply"
	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/portal"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/agents/stage"
)

// retry is how soon staging is tried again that nothing announces the end of.
const retry = time.Minute

// work brings the order further: fetch, then hand over.
func (c *Courier) work(ctx context.Context) {
	if c.order == nil || c.doing != nil || c.clock().Before(c.again) {
		return
	}
	a := c.order.plan
	switch a.Action {
	case protocol.ActionStop, protocol.ActionRollback:
		c.handOver(ctx)
		return
	case protocol.ActionStage, protocol.ActionInstall:
	default:
		c.handOver(ctx) // the worker refuses it and says so
		return
	}
	st, err := c.Worker.Status(ctx)
	if err != nil {
		c.Log.Error("the worker does not answer", "error", err)
		return
	}
	if c.over(st, a) {
		return
	}
	if _, quarantined := st.Record.Quarantined[a.Bundle]; quarantined {
		c.handOver(ctx) // it says so, or lets the bundle go again
		return
	}
	if c.order.Staged == "" || len(c.missing(st)) > 0 {
		if c.stay(protocol.StateStaging, c.clock().Add(retry)); c.online {
			c.stage(ctx, st)
		}
		return
	}
	c.phase = protocol.StateStaged
	if a.Action == protocol.ActionInstall {
		c.handOver(ctx)
	}
}

// over tells whether the worker has come to an end with this very order.
func (c *Courier) over(st apply.Status, a protocol.Assignment) bool {
	r := st.Record.Run
	return r.Rollout == a.Rollout && r.Bundle == a.Bundle && r.State == protocol.StateSucceeded
}

func (c *Courier) stay(phase protocol.State, until time.Time) { c.phase, c.again = phase, until }

// stage makes sure of what is to be fetched and begins to.
func (c *Courier) stage(ctx context.Context, st apply.Status) {
	rules := c.order.plan.Staging
	if ok, next := stage.Allowed(rules, c.clock()); !ok {
		if until := c.clock().Add(time.Hour); next == nil || next.After(until) {
			next = &until
		}
		c.stay(protocol.StateStaging, *next)
		return
	}
	view, err := c.refresh(ctx)
	if err == nil {
		err = c.manifest(ctx, view)
	}
	var blobs []need.Blob
	if err == nil {
		blobs, err = c.blobs(st)
	}
	if err == nil {
		err = c.stager.Keep(blobs)
	}
	if err != nil {
		c.stopped(ctx, err)
		return
	}
	if why := c.crowded(blobs); why != "" {
		c.full(why)
		return
	}
	c.say(protocol.StateStaging, nil, "")
	ctx, c.fetching = context.WithCancel(ctx)
	doing, order := make(chan func(), 1), c.order
	c.doing = doing
	go func() {
		err := c.stager.Fetch(ctx, blobs, rules)
		doing <- func() { c.fetched(ctx, order, err) }
	}()
}

// spare is what staging leaves free on the disk.
const spare = 64 << 20

// crowded says that the disk cannot hold what is to be fetched; nothing is touched then.
func (c *Courier) crowded(blobs []need.Blob) string {
	var wanted int64 = spare
	for _, b := range c.stager.Missing(blobs) {
		wanted += b.Size
	}
	if free, err := host.Free(c.Dir); err == nil && free < wanted {
		return fmt.Sprintf("the disk is too full to stage: %d bytes are needed and %d are free", wanted, free)
	}
	return ""
}

// full waits for room on the disk.
func (c *Courier) full(why string) {
	exit := protocol.ExitPreflight
	c.say(protocol.StateDeferred, &exit, why)
	c.stay(protocol.StateStaging, c.clock().Add(10*retry))
}

// fetched takes in how a fetch ended.
func (c *Courier) fetched(ctx context.Context, order *kept, err error) {
	c.fetching()
	c.fetching = nil
	c.again = time.Time{}
	if c.order == nil || c.order.plan.Bundle != order.plan.Bundle || c.order.plan.ManifestSHA256 != order.plan.ManifestSHA256 {
		return // another order came meanwhile
	}
	if err == nil {
		sum := sha256.Sum256(c.order.Manifest)
		c.order.Staged = hex.EncodeToString(sum[:])
		err = c.keepOrder()
	}
	if err != nil {
		c.stopped(context.WithoutCancel(ctx), err)
		return
	}
	c.phase = protocol.StateStaged
	c.say(protocol.StateStaged, nil, "")
}

// refresh wants metadata that is fresh now: nothing is staged on old word.
func (c *Courier) refresh(ctx context.Context) (*bundle.View, error) {
	if c.trust == nil {
		if err := c.pin(ctx); err != nil {
			return nil, err
		}
	}
	return c.trust.Update(ctx, c.Client.Metadata, c.clock())
}

// pin takes the portal's first root where the node was enrolled before there was
// one. The worker pins it as well, from the same bytes.
func (c *Courier) pin(ctx context.Context) error {
	root, err := c.Client.Metadata(ctx, "1.root.json", bundle.MaxRoot)
	if err != nil {
		return err
	}
	c.trust, err = bundle.InitTrust(c.trustDir(), [][]byte{root})
	return err
}

// manifest fetches the bundle's, where the one at hand is not what the order names.
func (c *Courier) manifest(ctx context.Context, view *bundle.View) error {
	raw := c.order.Manifest
	if sum := sha256.Sum256(raw); len(raw) == 0 || c.order.plan.ManifestSHA256 != "" && hex.EncodeToString(sum[:]) != c.order.plan.ManifestSHA256 {
		var err error
		if raw, err = c.Client.Manifest(ctx, c.order.plan.Bundle); err != nil {
			return err
		}
	}
	m, err := view.Manifest(c.order.plan.Bundle, raw)
	if err != nil {
		return err
	}
	if _, err := m.Fresh(c.clock(), 0); err != nil {
		return err
	}
	c.order.Manifest = raw
	return c.keepOrder()
}

func (c *Courier) blobs(st apply.Status) ([]need.Blob, error) {
	m, err := bundle.ParseManifest(c.order.Manifest)
	if err != nil {
		return nil, err
	}
	v, err := m.For(bundle.Node{ID: c.order.plan.Node, OSID: c.machine.OSID, VersionID: c.machine.VersionID, Codename: c.machine.Codename,
		Arch: c.machine.Arch, PackageSystem: c.machine.PackageSystem, Agent: c.Agent})
	if err != nil {
		return nil, err
	}
	system, err := packages.For(c.Root, c.machine)
	if err != nil {
		return nil, err
	}
	installed := packages.Versions(c.versions.list.Packages, v.Arch)
	stock := func(sha string) bool { _, ok := slices.BinarySearch(st.Stash, sha); return ok }
	return need.Blobs(v, installed, system.Compare, stock, c.order.plan.Staging.Mode != "whole"), nil
}

func (c *Courier) missing(st apply.Status) []need.Blob {
	blobs, err := c.blobs(st)
	if err != nil {
		return nil // the worker says what is wrong with it
	}
	return c.stager.Missing(blobs)
}

// stopped decides what an error of staging means.
func (c *Courier) stopped(ctx context.Context, err error) {
	c.Log.Info("staging stopped", "error", err)
	until := c.clock().Add(retry)
	var busy *stage.StatusError
	var refused *portal.Refusal
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		c.full("the disk is too full to stage: " + err.Error()) // others write on it too
		return
	case errors.Is(err, stage.ErrHours):
		until = c.clock()
	case errors.As(err, &busy) && busy.After > 0:
		until = c.clock().Add(busy.After)
	case errors.As(err, &refused) && refused.After > 0:
		until = c.clock().Add(refused.After)
	case bundle.KindOf(err) == bundle.Authenticity, bundle.KindOf(err) == bundle.Integrity, bundle.KindOf(err) == bundle.Malformed:
		exit := protocol.Exit(bundle.ExitCode(err))
		if _, condemned := c.Worker.Condemn(ctx, c.handed(), exit, err.Error()); condemned != nil {
			c.Log.Error("the worker does not answer", "error", condemned)
		}
		until = c.clock().Add(time.Hour)
	case bundle.KindOf(err) == bundle.Stale, bundle.KindOf(err) == bundle.Target:
		exit := protocol.ExitFreshness
		c.say(protocol.StateDeferred, &exit, err.Error())
		until = c.clock().Add(10 * retry)
	default: // absent, short, slow, no link: not yet
		exit := protocol.ExitDeferred
		c.say(protocol.StateStaging, &exit, err.Error())
	}
	c.stay(protocol.StateStaging, until)
}

func (c *Courier) handed() apply.Order {
	o := apply.Order{Envelope: c.order.Envelope, Manifest: c.order.Manifest, Offset: c.Client.Offset(), Release: c.order.Release}
	if c.trust != nil {
		o.Set = c.trust.Set()
	}
	return o
}

// handOver lets the worker go at it, while check-ins go on.
func (c *Courier) handOver(ctx context.Context) {
	if c.trust == nil {
		if err := c.pin(ctx); err != nil {
			c.Log.Error("there is no trusted root", "error", err)
			return
		}
	}
	o, doing := c.handed(), make(chan func(), 1)
	c.doing = doing
	go func() {
		out, err := c.Worker.Do(ctx, o)
		doing <- func() { c.worked(out, err) }
	}()
}

// worked takes in what the worker made of the order.
func (c *Courier) worked(out apply.Outcome, err error) {
	if err != nil {
		c.Log.Error("the worker does not answer", "error", err)
		c.again = c.clock().Add(retry)
		return
	}
	c.Log.Info("the worker is done", "state", out.State, "exit", int(out.Exit), "message", out.Message)
	if c.order == nil {
		return
	}
	c.again = c.clock().Add(c.Interval)
	if out.Next != nil {
		c.again = *out.Next
	}
	if out.State == protocol.StateSucceeded && out.Bundle == c.order.plan.Bundle {
		if err := c.stager.Keep(nil); err != nil { // the worker keeps what the next bundle needs
			c.Log.Warn("the spool is not cleared", "error", err)
		}
	}
	if out.Restage {
		c.order.Staged, c.again = "", c.clock()
		c.phase = protocol.StateStaging
		if err := c.keepOrder(); err != nil {
			c.Log.Error("keep the order", "error", err)
		}
	}
}
