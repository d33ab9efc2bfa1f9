package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox/signalbox/agents/protocol"
)

// demoFleetSize is how many machines the sample shop has.
const demoFleetSize = 400

// demoCheckIns is how often they come, in seconds, so that something moves.
const demoCheckIns = 60

// usualCheckIns is what the configuration says where nobody chose.
const usualCheckIns = 300

// edgeDemo gives the sample shop a fleet: simulated machines that speak as agents
// do, with a rollout half done. Its past is played with the fleet's clock set back.
type edgeDemo struct {
	*demo
	fleet []*demoNode
	// fetched is what a node fetches of the newest bundle, in bytes.
	fetched int64
}

// now is the fleet's clock, which only the demo ever sets back.
func (e *edgeDemo) now() time.Time { return e.app.edgeNow() }

// until moves the fleet's clock on, until it is so far behind; never back.
func (e *edgeDemo) until(behind time.Duration) {
	e.app.edgeBehind.Store(min(e.app.edgeBehind.Load(), int64(behind)))
}

func (e *edgeDemo) pass(d time.Duration) {
	e.app.edgeBehind.Store(max(0, e.app.edgeBehind.Load()-int64(d)))
}

// keepFleet makes the fleet or finds it, and lets it go on.
func (d *demo) keepFleet(ctx context.Context) {
	e, err := d.playFleet(ctx, max(d.machines, 120))
	if err == nil {
		close(d.told)
		err = e.live(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.app.log.Error("the demo's fleet stopped", "error", err)
	}
}

// secret makes the machines' keys; it lies in a file, so that they stay the same
// machines after a restart. first tells that there was none.
func (d *demo) secret() (secret []byte, first bool, err error) {
	path := filepath.Join(d.folder, "fleet-of-the-demo")
	if secret, err = os.ReadFile(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return secret, false, err
	}
	secret = make([]byte, 32)
	rand.Read(secret) // never fails
	return secret, true, errors.Join(os.MkdirAll(d.folder, 0o755), os.WriteFile(path, secret, 0o600))
}

// playFleet tells the past of a fleet of so many machines.
func (d *demo) playFleet(ctx context.Context, size int) (*edgeDemo, error) {
	secret, first, err := d.secret()
	if err != nil {
		return nil, err
	}
	e := &edgeDemo{demo: d, fleet: demoFleet(secret, size)}
	if !first {
		return e, e.recall(ctx)
	}
	e.app.edgeBehind.Store(int64(3 * 24 * time.Hour))
	defer e.until(0)
	if err := e.tell(ctx); err != nil {
		return nil, fmt.Errorf("fleet of the sample shop: %w", err)
	}
	return e, nil
}

func (e *edgeDemo) tell(ctx context.Context) error {
	signer, err := e.found(ctx)
	if err != nil {
		return err
	}
	for _, s := range demoSites {
		if err := e.call(ctx, "PUT", "/api/v1/edge/sites/"+s.name, map[string]any{"team": demoTeam, "description": s.description, "kbps": s.kbps}, nil); err != nil {
			return err
		}
	}
	if err := e.people(ctx); err != nil {
		return err
	}
	base, weekly := e.now().Format("20060102")+"-build-41", now().Format("20060102")+"-build-42"
	if e.fetched, err = e.release(ctx, signer, base, 1); err != nil {
		return err
	}
	first, err := e.begin(ctx, "baseline", fmt.Sprintf(demoBaseline, base), "bring all of them to one state")
	if err != nil {
		return err
	}
	if err := e.batches(ctx, first, 2, nil); err != nil {
		return err
	}
	if err := e.days(ctx); err != nil {
		return err
	}
	if e.fetched, err = e.release(ctx, signer, weekly, 2); err != nil {
		return err
	}
	second, err := e.begin(ctx, "shops-weekly", fmt.Sprintf(demoWeekly, weekly, len(e.fleet)/30, len(e.fleet)/10), "security updates of the week")
	if err != nil {
		return err
	}
	if err := e.batches(ctx, second, demoPlayed, demoFates); err != nil {
		return err
	}
	if err := e.half(ctx, second); err != nil {
		return err
	}
	return e.plans(ctx)
}

// days pass, on which nodes come as they do; some are at sea since.
func (e *edgeDemo) days(ctx context.Context) error {
	for _, behind := range []time.Duration{50 * time.Hour, 28 * time.Hour, 7 * time.Hour} {
		e.until(behind)
		if err := e.each(ctx, e.fleet, e.come); err != nil {
			return err
		}
		for i, n := range e.fleet {
			n.gone = n.gone || n.site == "ferries" && i%3 == 0 || behind < 8*time.Hour && i%67 == 5
		}
	}
	return nil
}

// come is a check-in of a node that is there.
func (e *edgeDemo) come(ctx context.Context, n *demoNode) error {
	if n.gone {
		return nil
	}
	_, err := e.checkIn(ctx, n)
	return err
}

const demoBaseline = `apiVersion: patchmgmt.io/v1
kind: PatchPolicy
metadata: {name: baseline, namespace: operations}
spec:
  bundleRef: {version: %q, channel: stable}
  targets: {selector: {matchLabels: {simulated: "yes"}}, maxNodes: 10000}
  rolloutStrategy: {type: Canary, canary: {count: 8, soak: 1h}, silentAfter: 20m, pauseOn: {failureRate: "10%%", minSamples: 50, anyExit: [3]}}
`

const demoWeekly = `apiVersion: patchmgmt.io/v1
kind: PatchPolicy
metadata: {name: shops-weekly, namespace: operations}
spec:
  bundleRef: {version: %q, channel: stable}
  targets:
    # Real machines that you enrol are none of them: the packages here are no software.
    selector: {matchLabels: {simulated: "yes"}, matchExpressions: [{key: role, operator: In, values: [till, kiosk, gateway]}]}
    maxNodes: 10000
  staging: {jitter: 10m, perNodeKBps: 256, perSiteKBps: 1024, mode: delta-preferred}
  rolloutStrategy:
    type: RollingUpdate
    canary: {count: %d, perVariant: 2, soak: 30m}
    batchSize: %d
    batchDelayMinutes: 10
    maxUnavailablePerSite: 8
    # Nodes of this sample fail more often than yours should.
    pauseOn: {failureRate: "12%%", minSamples: 60, anyExit: [3]}
    silentAfter: 20m
  rollback: {enabled: true, method: auto, healthCheckUrl: "http://localhost:8080/health", healthCheckTimeoutSeconds: 120}
`

const demoTills = `apiVersion: patchmgmt.io/v1
kind: PatchPolicy
metadata: {name: tills-quarterly, namespace: operations}
spec:
  bundleRef: {version: "next-quarter", channel: stable}
  targets: {selector: {matchLabels: {role: till, simulated: "yes"}}, maxNodes: 1000}
  staging: {hours: "20:00-06:00", perSiteKBps: 512}
  schedule: {maintenanceWindow: "Tue 02:00-04:00; Thu 02:00-04:00", timezone: node, latestStart: 30m}
  rolloutStrategy: {type: RollingUpdate, canary: {count: 10, perVariant: 2, soak: 24h}, batchSize: "5%%", batchDelayMinutes: 60, maxUnavailablePerSite: 1}
  approval: {required: 2}
`

// people let the machines in: most by a token that may, some wait for a person.
func (e *edgeDemo) people(ctx context.Context) error {
	waiting := len(e.fleet) / 100
	for _, t := range []struct {
		name    string
		accepts bool
		nodes   []*demoNode
	}{{"opening of the shops", true, e.fleet[:len(e.fleet)-waiting]}, {"spare machines", false, e.fleet[len(e.fleet)-waiting:]}} {
		var token struct{ Token string }
		err := e.call(ctx, "POST", "/api/v1/edge/tokens", map[string]any{"team": demoTeam, "name": t.name, "accepts": t.accepts, "max_uses": demoFleetSize, "hours": 24 * 30}, &token)
		if err != nil {
			return err
		}
		if err := e.each(ctx, t.nodes, func(ctx context.Context, n *demoNode) error {
			if err := e.enrol(ctx, n, token.Token); err != nil {
				return err
			}
			_, err := e.checkIn(ctx, n)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// each does something with many machines, some of them at once.
func (e *edgeDemo) each(ctx context.Context, nodes []*demoNode, do func(context.Context, *demoNode) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, n := range nodes {
		g.Go(func() error { return do(ctx, n) })
	}
	return g.Wait()
}

func (e *edgeDemo) begin(ctx context.Context, name, text, reason string) (string, error) {
	var policy, made struct{ ID string }
	if err := e.call(ctx, "POST", "/api/v1/edge/policies", map[string]any{"team": demoTeam, "text": text, "reason": "for " + name}, &policy); err != nil {
		return "", err
	}
	err := e.call(ctx, "POST", "/api/v1/edge/rollouts", map[string]any{"team": demoTeam, "policy": policy.ID, "reason": reason}, &made)
	return made.ID, err
}

// plans are what people have in mind: a policy whose bundle is not there yet, and
// days on which nothing may change.
func (e *edgeDemo) plans(ctx context.Context) error {
	if err := e.call(ctx, "POST", "/api/v1/edge/policies", map[string]any{"team": demoTeam, "text": fmt.Sprintf(demoTills), "reason": "as agreed with the shops"}, nil); err != nil {
		return err
	}
	from := now().AddDate(0, 0, 19).Truncate(24 * time.Hour)
	return e.call(ctx, "POST", "/api/v1/edge/freezes", map[string]any{"team": demoTeam, "from": from, "to": from.AddDate(0, 0, 9), "reason": "the busiest days of the year", "allow": []string{"critical"}}, nil)
}

// live lets the machines go on, each at its own times, until the server stops.
func (e *edgeDemo) live(ctx context.Context) error {
	due := make([]time.Time, len(e.fleet))
	for i := range due {
		due[i] = now().Add(time.Duration(i) * demoCheckIns * time.Second / time.Duration(len(due)))
	}
	for {
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
		for i, n := range e.fleet {
			if n.gone || now().Before(due[i]) {
				continue
			}
			next, err := e.turn(ctx, n)
			if err != nil {
				e.app.log.Debug("a simulated node could not be heard", "node", n.name, "error", err)
				next = demoCheckIns * time.Second // as an agent does
			}
			due[i] = now().Add(next)
		}
	}
}

func (e *edgeDemo) turn(ctx context.Context, n *demoNode) (time.Duration, error) {
	if err := e.advance(ctx, n); err != nil || n.gone {
		return 0, err
	}
	return e.checkIn(ctx, n)
}

// demoFate is how a node's run will end: most go well.
func demoFate(seed string) protocol.State {
	switch h := hash64(seed); {
	case h < "05":
		return protocol.StateRolledBack
	case h < "06":
		return protocol.StateQuarantined
	case h < "08":
		return demoSilent
	}
	return protocol.StateSucceeded
}
