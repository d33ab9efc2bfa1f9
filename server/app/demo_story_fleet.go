package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
)

const (
	// storyPerSite is how many of the story's machines stand in each shop.
	storyPerSite = 3
	// storyHurry is how often they come while somebody watches a rollout.
	storyHurry = 400 * time.Millisecond
	// storyOldest is what they have before the first story.
	storyOldest = "0.9.0"
)

// storyMachines are the same ones from the same secret.
func storyMachines(secret []byte, version string) []*demoNode {
	var fleet []*demoNode
	for i := range storyPerSite * len(demoSites) {
		site := demoSites[i%len(demoSites)].name
		n := &demoNode{name: fmt.Sprintf("%s-%s-%02d", storyPackage, site, i/len(demoSites)+1), site: site, machine: demoVariants[0], checkout: version}
		seed := sha256.Sum256(append([]byte(n.name), secret...))
		n.key = ed25519.NewKeyFromSeed(seed[:])
		n.machine.Hostname, n.machine.BootID = n.name, fmt.Sprintf("%x-%x-4000-8000-%x", seed[:4], seed[4:6], seed[6:12])
		n.says = protocol.CheckIn{State: protocol.StateIdle, Agent: "1.4.0", RootVersion: 1, BootID: n.machine.BootID, DiskFree: int64(2+seed[0]%30) << 30}
		fleet = append(fleet, n)
	}
	return fleet
}

// keepMachines enrols the machines, or finds them, and lets them go on.
func (s *story) keepMachines(ctx context.Context) {
	select {
	case <-s.told: // until then the fleet's clock is set back
	case <-ctx.Done():
		return
	}
	err := s.findMachines(ctx)
	if err == nil {
		s.reached(storyFleetHere)
		err = s.runMachines(ctx)
	}
	s.stopped(ctx, err)
}

func (s *story) findMachines(ctx context.Context) error {
	secret, _, err := s.secret()
	if err != nil {
		return err
	}
	version := s.kept().Machines
	if version == "" {
		version = storyOldest
	}
	s.fleet = &edgeDemo{demo: s.demo, fleet: storyMachines(secret, version), fetched: 64 << 10}
	known, err := s.machines(ctx)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		for _, n := range s.fleet.fleet {
			shown := known[n.name]
			n.id, n.stage = shown.ID, int(shown.TargetsVersion)
			n.says.State, n.says.Bundle, n.says.Rollout, n.says.LastExit = shown.AgentState, shown.Bundle, shown.Rollout, shown.LastExit
		}
		return nil
	}
	var token struct{ Token string }
	if err := s.call(ctx, "POST", "/api/v1/edge/tokens", map[string]any{"team": demoTeam, "name": "machines of the story", "accepts": true, "max_uses": len(s.fleet.fleet), "hours": 24}, &token); err != nil {
		return err
	}
	if err := s.fleet.each(ctx, s.fleet.fleet, func(ctx context.Context, n *demoNode) error {
		if err := s.fleet.enrol(ctx, n, token.Token); err != nil {
			return err
		}
		_, err := s.fleet.checkIn(ctx, n)
		return err
	}); err != nil {
		return err
	}
	return s.remember(func(m *storyMemory) { m.Machines = version })
}

// packaged is the version of the fix as its package has it: the commit in it tells the
// release page which release a machine runs.
func (m storyMemory) packaged() string {
	if len(m.Fix) < 12 {
		return m.FixVersion
	}
	return m.FixVersion + "+g" + m.Fix[:12]
}

// storyMachine is a machine as the server shows it.
type storyMachine struct {
	ID, Name, Bundle, Rollout string
	AgentState                protocol.State `json:"agent_state"`
	LastExit                  *protocol.Exit `json:"last_exit"`
	TargetsVersion            int64          `json:"targets_version"`
}

func (s *story) machines(ctx context.Context) (map[string]storyMachine, error) {
	var page struct{ Items []storyMachine }
	if err := s.call(ctx, "GET", "/api/v1/edge/nodes?limit=1000&team="+url.QueryEscape(demoTeam), nil, &page); err != nil {
		return nil, err
	}
	known := map[string]storyMachine{}
	for _, n := range page.Items {
		if len(n.Name) > len(storyPackage) && n.Name[:len(storyPackage)+1] == storyPackage+"-" {
			known[n.Name] = n
		}
	}
	return known, nil
}

// runMachines has each come now and then, and often while the story's rollout runs.
func (s *story) runMachines(ctx context.Context) error {
	due := make([]time.Time, len(s.fleet.fleet))
	for {
		if err := sleep(ctx, storyHurry/8); err != nil {
			return err
		}
		every := demoCheckIns * time.Second
		if s.hurries() {
			every = storyHurry
		}
		m := s.kept()
		for i, n := range s.fleet.fleet {
			if left := time.Until(due[i]); left > every || left <= 0 {
				due[i] = now().Add(every/2 + rand.N(every/2))
				if left > 0 {
					continue // from a time without hurry
				}
				n.patient, n.brings = min(n.patient, 1), m.packaged()
				if _, err := s.fleet.turn(ctx, n); err != nil {
					s.app.log.Debug("a simulated machine could not be heard", "node", n.name, "error", err)
				}
			}
		}
	}
}

// hurries says that somebody may be watching the machines.
func (s *story) hurries() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.awakeTo) > 0
}

// awake has the story move quickly for a while.
func (s *story) awake(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if to := now().Add(d); to.After(s.awakeTo) {
		s.awakeTo = to
	}
	s.seenAt = time.Time{} // what was seen may be otherwise now
}

// sign plays the unplugged machine: the bundle that the pipeline left is carried
// there, signed with the release key, carried back and published.
func (s *story) sign(ctx context.Context) error {
	signer, err := signerOf(s.folder)
	if err != nil {
		return errors.Join(errors.New("this data folder is from an earlier demo, whose signing keys are gone: start the demo in an empty folder"), err)
	}
	sha := s.look(ctx).bundleFile
	raw, err := os.ReadFile(filepath.Join(s.app.config.DataDir, "ci", "bundles", "built", sha))
	if err != nil {
		return err
	}
	stick, err := os.MkdirTemp(s.folder, "stick")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stick) //nolint:errcheck // nothing can be done about files that stay
	path := filepath.Join(stick, "checkout.epb")
	f, err := bundle.NewFile(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	set, _, err := signer.folder.Sign(ctx, ceremony.Release{Keys: []ceremony.Key{signer.release}, File: f, Now: now(), Expires: now().AddDate(0, 6, 0)})
	if err != nil {
		return err
	}
	if err := rewrite(path, f, set); err != nil {
		return err
	}
	signed, err := os.Open(path)
	if err != nil {
		return err
	}
	defer signed.Close() //nolint:errcheck // only read
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.app.URL()+"/api/v1/edge/bundles?team="+demoTeam, io.NopCloser(signed))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/octet-stream")
	return send(req, nil)
}

const storyPolicy = `apiVersion: patchmgmt.io/v1
kind: PatchPolicy
metadata: {name: checkout, namespace: operations}
spec:
  bundleRef: {version: %q, channel: checkout}
  targets: {selector: {matchLabels: {role: checkout}}, maxNodes: 100}
  rolloutStrategy:
    type: RollingUpdate
    canary: {count: 3, soak: 2s}
    batchSize: 12
    batchDelayMinutes: 0
    pauseOn: {failureRate: "20%%", minSamples: 3}
    silentAfter: 10m
  rollback: {enabled: true, method: auto, healthCheckUrl: "http://localhost:8080/health", healthCheckTimeoutSeconds: 120}
`

// rollOut begins the rollout of the fix, by the story's policy.
func (s *story) rollOut(ctx context.Context) error {
	m := s.kept()
	body := map[string]any{"team": demoTeam, "text": fmt.Sprintf(storyPolicy, storyBundle(m.FixVersion)), "reason": "the fix of " + m.Country}
	var policy, made struct{ ID string }
	if m.Policy == "" {
		if err := s.call(ctx, "POST", "/api/v1/edge/policies", body, &policy); err != nil {
			return err
		}
	} else {
		one := "/api/v1/edge/policies/" + m.Policy
		var before struct{ Revision int64 }
		if err := s.call(ctx, "GET", one, nil, &before); err != nil {
			return err
		}
		delete(body, "team")
		body["revision"] = before.Revision
		if err := s.call(ctx, "PUT", one, body, &policy); err != nil {
			return err
		}
	}
	if err := s.remember(func(m *storyMemory) { m.Policy = policy.ID }); err != nil {
		return err
	}
	if err := s.call(ctx, "POST", "/api/v1/edge/rollouts", map[string]any{"team": demoTeam, "policy": policy.ID, "reason": "orders to " + m.Country + " fail without it"}, &made); err != nil {
		return err
	}
	s.awake(5 * time.Minute)
	return s.remember(func(m *storyMemory) { m.Rollout = made.ID })
}
