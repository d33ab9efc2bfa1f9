package edge

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const maxPackages = 20_000

// The codecs are safe for concurrent use and large, so there is one of each, made when first needed.
var (
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(protocol.MaxInventoryRaw), zstd.WithDecoderMaxWindow(8<<20))
	})
	encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedDefault))
	})
)

func unpack(body []byte) ([]byte, error) {
	d, err := decoder()
	if err != nil {
		return nil, err
	}
	return d.DecodeAll(body, nil)
}

func pack(raw []byte) ([]byte, error) {
	e, err := encoder()
	if err != nil {
		return nil, err
	}
	return e.EncodeAll(raw, nil), nil
}

func validateInventory(in *protocol.Inventory) error {
	if len(in.Packages) > maxPackages || len(in.Held) > maxPackages || len(in.OSRelease) > 100 {
		return problem.New(problem.TooLarge, "The inventory has more than %d packages.", maxPackages)
	}
	for _, p := range in.Packages {
		if p.Name == "" || !printable(p.Name, 200) || !printable(p.Version, 200) || !printable(p.Arch, 40) || !printable(p.Source, 200) || !printable(p.Status, 80) {
			return problem.FieldError("packages", "%.60q is no package", p.Name)
		}
	}
	for _, h := range in.Held {
		if !printable(h, 200) {
			return problem.FieldError("held", "%.60q is no package", h)
		}
	}
	if !printable(in.Kernel, 253) {
		return problem.FieldError("kernel", "is too long or has control characters")
	}
	return nil
}

// TakeInventory keeps what is on a node. Nodes with the same packages share one set.
func (s *Service) TakeInventory(ctx context.Context, n Node, in protocol.Inventory) error {
	if err := validateInventory(&in); err != nil {
		return err
	}
	hash := in.Hash()
	slices.SortFunc(in.Packages, func(a, b protocol.Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch), strings.Compare(a.Version, b.Version))
	})
	if in.Packages == nil {
		in.Packages = []protocol.Package{}
	}
	raw, err := json.Marshal(in.Packages)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append([]byte(n.PackageSystem+"\n"), raw...))
	set := packageSet{Team: n.Team, SHA256: hex.EncodeToString(sum[:]), System: n.PackageSystem, Packages: len(in.Packages)}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		if set.ID, err = s.rows().setID(ctx, n.Team, set.SHA256); err != nil {
			return err
		}
		if set.ID == 0 {
			if set.Body, err = pack(raw); err != nil {
				return err
			}
			if set.ID, err = s.rows().insertSet(ctx, set, sourcesOf(in.Packages), s.millis()); err != nil {
				return err
			}
		}
		booted := int64(0)
		if in.UptimeSeconds > 0 {
			booted = s.Now().Add(-time.Duration(min(in.UptimeSeconds, 100*365*24*3600)) * time.Second).UnixMilli()
		}
		n.InventorySHA256, n.Set, n.Held, n.Kernel, n.BootedAt, n.InventoryAt = hash, set.ID, in.Held, in.Kernel, api.Millis(booted), api.Millis(s.millis())
		n.upgraded(in.OSRelease)
		if err := s.rows().setInventory(ctx, n); err != nil {
			return err
		}
		if err := s.rowChanged(ctx, n.ID); err != nil {
			return err
		}
		return s.publish(ctx, n.Team, nodesTopic, n.ID)
	})
}

// upgraded takes over what the machine's system is now: it may be another release
// than when it enrolled.
func (n *Node) upgraded(release map[string]string) {
	id, version, codename := release["ID"], release["VERSION_ID"], release["VERSION_CODENAME"]
	if !plainWord.MatchString(id) || !plainWord.MatchString(version) || !printable(codename, 64) {
		return
	}
	n.OSID, n.VersionID, n.Codename = id, version, codename
	n.Variant = n.machine().Variant()
}

// packageSet is a list of packages that nodes share.
type packageSet struct {
	ID       int64
	Team     int64
	SHA256   string
	System   string
	Packages int
	Body     []byte
}

// source is one that packages were built of.
type source struct{ Name, Version string }

// sourcesOf are the sources of a list with the versions that are installed; what
// was only configured once is not there.
func sourcesOf(list []protocol.Package) []source {
	seen := map[source]bool{}
	for _, p := range list {
		if installed(p) {
			seen[source{cmp.Or(p.Source, p.Name), p.Version}] = true
		}
	}
	out := make([]source, 0, len(seen))
	for s := range seen {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b source) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	return out
}

// installed tells whether a package's files are on the machine: dpkg also lists
// what was removed and left its configuration.
func installed(p protocol.Package) bool {
	return !strings.Contains(p.Status, "config-files") && !strings.Contains(p.Status, "not-installed")
}

// Packages are what is on a node; nil while it has not said.
func (s *Service) Packages(ctx context.Context, n Node) ([]protocol.Package, error) {
	if n.Set == 0 {
		return nil, nil
	}
	body, err := s.rows().setBody(ctx, n.Team, n.Set)
	if err != nil {
		return nil, err
	}
	raw, err := unpack(body)
	if err != nil {
		return nil, fmt.Errorf("unpack the packages of node %s: %w", n.ID, err)
	}
	var list []protocol.Package
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("read the packages of node %s: %w", n.ID, err)
	}
	return list, nil
}
