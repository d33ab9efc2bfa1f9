package courier

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/signalbox/signalbox/agents/host"
	"github.com/signalbox/signalbox/agents/packages"
	"github.com/signalbox/signalbox/agents/protocol"
)

// inventory is what is on the machine, read again only when it may have changed.
type inventory struct {
	list protocol.Inventory
	raw  []byte
	hash string
	seen string
}

// marks are files whose change says that packages or holds may have.
var marks = []string{"/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/etc/dnf/plugins/versionlock.list", "/etc/os-release"}

// refresh reads the inventory anew where it may have changed. The uptime in it
// is that of the reading: an inventory that changed by itself would be sent for ever.
func (i *inventory) refresh(ctx context.Context, root host.Root, machine protocol.Machine) error {
	seen := host.BootID()
	for _, path := range marks {
		if info, err := os.Stat(root.Path(path)); err == nil {
			seen += fmt.Sprintf(" %s %d %d", path, info.Size(), info.ModTime().UnixNano())
		}
	}
	if seen == i.seen {
		return nil
	}
	system, err := packages.For(root, machine)
	if err != nil {
		return err
	}
	list := protocol.Inventory{Kernel: machine.Kernel, UptimeSeconds: int64(host.Uptime() / time.Second)}
	if list.Packages, err = system.Installed(ctx); err != nil {
		return err
	}
	if list.Held, err = system.Held(ctx); err != nil {
		return err
	}
	if list.Held == nil {
		list.Held = []string{}
	}
	if list.OSRelease, err = root.OSRelease(); err != nil {
		return err
	}
	raw, err := json.Marshal(list)
	if err != nil {
		return fmt.Errorf("write the inventory: %w", err)
	}
	sum := sha256.Sum256(raw)
	*i = inventory{list: list, raw: raw, hash: hex.EncodeToString(sum[:]), seen: seen}
	return nil
}

// message is the check-in: how things are now.
func (c *Courier) message(ctx context.Context) (in protocol.CheckIn, err error) {
	if err := c.versions.refresh(ctx, c.Root, c.machine); err != nil {
		return in, err
	}
	st, err := c.Worker.Status(ctx)
	if err != nil {
		return in, err
	}
	in = protocol.CheckIn{State: st.Record.Run.State, Bundle: st.Record.Run.Bundle, Rollout: st.Record.Run.Rollout, Agent: c.Agent,
		InventorySHA256: c.versions.hash, Clock: c.Now().UTC(), BootID: host.BootID(), LastExit: st.Record.LastExit}
	for id := range st.Record.Quarantined {
		in.Quarantined = append(in.Quarantined, id)
	}
	slices.Sort(in.Quarantined)
	in.Quarantined = in.Quarantined[:min(len(in.Quarantined), 50)]
	if in.DiskFree, err = host.Free(c.Dir); err != nil {
		return in, err
	}
	if c.trust != nil {
		if view, err := c.trust.View(); err == nil {
			in.RootVersion, in.TargetsVersion = view.Root.Version, view.Targets.Version
		}
	}
	if in.State == protocol.StateIdle {
		in.Bundle, in.Rollout = st.Record.Current, ""
	}
	if c.order == nil || in.State.Touching() || in.State == protocol.StateVerifying {
		return in, nil
	}
	a := c.order.plan
	other := in.Bundle != a.Bundle || in.Rollout != a.Rollout
	stages := a.Action == protocol.ActionStage || a.Action == protocol.ActionInstall
	if stages && (other || in.State == protocol.StateIdle || in.State == protocol.StateDeferred && c.phase == protocol.StateStaging) {
		in.State, in.Bundle, in.Rollout = c.phase, a.Bundle, a.Rollout
		c.mu.Lock()
		if c.phase == protocol.StateStaging {
			in.Progress = c.progress
		}
		c.mu.Unlock()
	}
	return in, nil
}
