package app

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/protocol"
)

// demoNode is a machine that is not there: it says what an agent would say, by the
// agents' own protocol, and installs nothing.
type demoNode struct {
	name, site string
	machine    protocol.Machine
	key        ed25519.PrivateKey
	id         string
	seq        int64
	// stage is how many bundles it has installed.
	stage   int
	says    protocol.CheckIn
	order   protocol.Assignment
	fate    protocol.State
	since   time.Time // in which its state began
	patient int       // check-ins that its state takes still
	gone    bool      // says nothing any more
	// checkout is the version of the story's program on it, "" on all but the story's machines.
	checkout string
	// brings is the version that the story's bundle has.
	brings string
}

var demoSites = []struct {
	name, description, region string
	kbps                      int
}{
	{"oslo-sentrum", "Three shops around the station", "east", 1024}, {"oslo-alna", "Warehouse and returns", "east", 2048}, {"bergen", "Two shops and a café", "west", 1024}, {"stavanger", "Shop at the harbour", "west", 512},
	{"trondheim", "Two shops", "north", 1024}, {"tromsoe", "Shop, on a radio link", "north", 256}, {"kristiansand", "Shop and ferry terminal", "south", 512}, {"ferries", "Kiosks on board: there is a link in port", "south", 128},
}

// demoFleet makes the machines: the same ones from the same secret.
func demoFleet(secret []byte, size int) []*demoNode {
	fleet := make([]*demoNode, size)
	for i := range fleet {
		site := demoSites[i%len(demoSites)]
		kind := []string{"till", "till", "till", "kiosk", "gateway"}[i/len(demoSites)%5]
		n := &demoNode{name: fmt.Sprintf("%s-%s-%02d", kind, site.name, i/len(demoSites)+1), site: site.name, machine: demoVariants[0], says: protocol.CheckIn{State: protocol.StateIdle, Agent: "1.4.0", RootVersion: 1}}
		switch {
		case kind == "kiosk":
			n.machine = demoVariants[1]
		case kind == "gateway" && i%3 == 0:
			n.machine = demoVariants[2]
		case i%50 == 49: // for which there is no bundle
			n.machine = protocol.Machine{OSID: "ubuntu", VersionID: "22.04", Codename: "jammy", Arch: "amd64", PackageSystem: "apt", Kernel: "5.15.0-130-generic"}
		}
		n.machine.Hostname = n.name
		seed := sha256.Sum256(append([]byte(n.name), secret...))
		n.key = ed25519.NewKeyFromSeed(seed[:])
		n.machine.BootID = fmt.Sprintf("%x-%x-4000-8000-%x", seed[:4], seed[4:6], seed[6:12])
		n.says.BootID, n.says.DiskFree = n.machine.BootID, int64(2+seed[0]%30)<<30
		fleet[i] = n
	}
	return fleet
}

// say makes a signed request as an agent does.
func (e *edgeDemo) say(ctx context.Context, n *demoNode, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, e.app.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	at := e.now()
	n.seq = max(n.seq+1, at.UnixMilli()) // grows over restarts, too
	protocol.Sign(req, body, n.id, n.key, at, n.seq)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode >= 300:
		return fmt.Errorf("%s %s of %s: %d %s", method, path, n.name, answer.StatusCode, raw)
	case out == nil:
		return nil
	}
	return json.Unmarshal(raw, out)
}

func (e *edgeDemo) enrol(ctx context.Context, n *demoNode, token string) error {
	kind := n.name[:bytes.IndexByte([]byte(n.name), '-')]
	body, err := json.Marshal(protocol.EnrollRequest{Token: token, Name: n.name, Site: n.site, PublicKey: n.key.Public().(ed25519.PublicKey), Agent: n.says.Agent, Machine: n.machine,
		Labels: map[string]string{"role": kind, "simulated": "yes", "timezone": "Europe/Oslo"}})
	if err != nil {
		return err
	}
	var answer protocol.EnrollAnswer
	if err := e.say(ctx, n, http.MethodPost, protocol.PathEnroll, body, &answer); err != nil {
		return err
	}
	n.id = answer.Node
	return nil
}

// checkIn says where the node is, and takes what it is told.
func (e *edgeDemo) checkIn(ctx context.Context, n *demoNode) (time.Duration, error) {
	inventory := n.inventory()
	n.says.Clock, n.says.InventorySHA256, n.says.TargetsVersion = e.now(), inventory.Hash(), int64(n.stage)
	body, err := json.Marshal(n.says)
	if err != nil {
		return 0, err
	}
	var answer protocol.CheckInAnswer
	if err := e.say(ctx, n, http.MethodPost, protocol.PathCheckIn, body, &answer); err != nil {
		return 0, err
	}
	if answer.WantInventory {
		if err := e.tellInventory(ctx, n, inventory); err != nil {
			return 0, err
		}
	}
	n.order = protocol.Assignment{}
	if answer.Assignment != nil { // that the signature holds is for real agents to check
		if err := json.Unmarshal(answer.Assignment.Payload, &n.order); err != nil {
			return 0, err
		}
	}
	return time.Duration(answer.NextInSeconds) * time.Second, nil
}

func (e *edgeDemo) tellInventory(ctx context.Context, n *demoNode, inventory protocol.Inventory) error {
	inventory.UptimeSeconds = 40 * 24 * 3600
	raw, err := json.Marshal(inventory)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w, err := zstd.NewWriter(&packed)
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return e.say(ctx, n, http.MethodPut, protocol.PathInventory, packed.Bytes(), nil)
}

// demoEnds are how a run can end: its code, and what the agent says of it.
var demoEnds = map[protocol.State]struct {
	exit    protocol.Exit
	message string
	method  string
}{
	protocol.StateSucceeded:   {protocol.ExitOK, "installed, and healthy at the first look", ""},
	protocol.StateRolledBack:  {protocol.ExitHealthFailed, "http://localhost:8080/health answered 502 for two minutes; the packages before are back", "packages"},
	protocol.StateFailed:      {protocol.ExitRollbackFailed, "the disk was full while the packages before were put back: nginx is left unpacked", "packages"},
	protocol.StateQuarantined: {protocol.ExitIntegrity, "libssl3 had the wrong hash three times", ""},
	protocol.StateDeferred:    {protocol.ExitPreflight, "nginx is held on this machine", ""},
}

// become moves a node on, and reports what an agent would report.
func (e *edgeDemo) become(ctx context.Context, n *demoNode, s protocol.State) error {
	n.says.State, n.since, n.patient = s, e.now(), 1+rand.IntN(3)
	if s != protocol.StateStaging {
		n.says.Progress = nil
	}
	end, ends := demoEnds[s]
	if !ends {
		return nil
	}
	if s == protocol.StateSucceeded {
		n.brought()
	}
	if s == protocol.StateQuarantined {
		n.says.Quarantined = append(n.says.Quarantined, n.says.Bundle)
	}
	n.says.LastExit = &end.exit
	body, err := json.Marshal(protocol.ReportsRequest{Reports: []protocol.Report{{Seq: e.now().UnixMilli(), At: e.now(), Rollout: n.says.Rollout, Bundle: n.says.Bundle, State: s, Exit: &end.exit, Method: end.method, Message: end.message}}})
	if err != nil {
		return err
	}
	return e.say(ctx, n, http.MethodPost, protocol.PathReports, body, nil)
}

// brought is what a node has more once a bundle is installed.
func (n *demoNode) brought() {
	if n.checkout != "" {
		n.checkout = n.brings
	} else if n.stage < 2 {
		n.stage++
	}
}

// inventory is what a node has installed.
func (n *demoNode) inventory() protocol.Inventory {
	inventory := demoInventory(n.machine, n.stage)
	if n.checkout != "" {
		inventory.Packages = append(inventory.Packages, protocol.Package{Name: storyPackage, Version: n.checkout, Arch: "all", Source: storyPackage})
		slices.SortFunc(inventory.Packages, func(a, b protocol.Package) int { return strings.Compare(a.Name, b.Name) })
	}
	return inventory
}

// adopt makes the order that the node has its own.
func (n *demoNode) adopt() {
	n.says.Rollout, n.says.Bundle, n.says.LastExit = n.order.Rollout, n.order.Bundle, nil
	if n.fate = demoFate(n.name + n.order.Bundle); n.checkout != "" {
		n.fate = protocol.StateSucceeded // the story ends well
	}
}

// advance is what a node does between two check-ins.
func (e *edgeDemo) advance(ctx context.Context, n *demoNode) error {
	if n.order.Rollout != "" && n.order.Rollout != n.says.Rollout && n.order.Action != protocol.ActionStop {
		n.adopt()
		return e.become(ctx, n, protocol.StateStaging)
	}
	if n.patient > 0 && n.says.State != protocol.StateStaging {
		n.patient--
		return nil
	}
	switch s := n.says.State; {
	case s == protocol.StateStaging:
		return e.stage(ctx, n)
	case n.order.Action == protocol.ActionStop && !s.Final():
		return e.become(ctx, n, protocol.StateIdle)
	case n.order.Action == protocol.ActionRollback && s == protocol.StateSucceeded:
		return e.become(ctx, n, protocol.StateRollingBack)
	case s == protocol.StateRollingBack:
		n.stage--
		return e.become(ctx, n, protocol.StateRolledBack)
	case n.order.Action == protocol.ActionInstall && (s == protocol.StateStaged || s == protocol.StateDeferred):
		return e.become(ctx, n, protocol.StateVerifying)
	case s == protocol.StateVerifying && n.fate == protocol.StateQuarantined:
		return e.become(ctx, n, n.fate)
	case s == protocol.StateVerifying:
		return e.become(ctx, n, protocol.StateInstalling)
	case s == protocol.StateInstalling:
		n.gone = n.fate == demoSilent
		return e.become(ctx, n, protocol.StateHealthChecking)
	case s == protocol.StateHealthChecking:
		return e.become(ctx, n, n.fate)
	}
	return nil
}

// stage fetches a part of the bundle, as fast as the site's link lets it.
func (e *edgeDemo) stage(ctx context.Context, n *demoNode) error {
	done := int64(0)
	if p := n.says.Progress; p != nil {
		done = p.DoneBytes
	}
	if done += e.fetched/8 + rand.Int64N(e.fetched/4); done >= e.fetched {
		return e.become(ctx, n, protocol.StateStaged)
	}
	n.says.Progress = &protocol.Progress{DoneBytes: done, TotalBytes: e.fetched, Step: demoPackages[int(done*5/e.fetched)].name}
	return nil
}
