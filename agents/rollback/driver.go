package rollback

import (
	"context"
	"fmt"
)

// Point is a state of the machine that can be come back to.
type Point struct {
	ID string // the bundle that is about to change the machine
	// Before is what changes, by key, with its version before; empty: it was not there.
	Before map[string]string
}

// Driver is one way of coming back. Create, Restore and Delete may be called
// again after a crash in their middle.
type Driver interface {
	Name() string
	// Probe says why this way is not open for what is about to change.
	Probe(ctx context.Context, p Point) error
	Create(ctx context.Context, p Point) error
	// Restore brings it back; reboot tells that this is true only after a restart.
	Restore(ctx context.Context, p Point) (reboot bool, err error)
	Delete(ctx context.Context, id string) error
}

// The names of the drivers, as reports say them.
const (
	MethodPackages = "packages"
	MethodBtrfs    = "btrfs"
)

// Choose takes the first driver that the policy's method admits and that can do
// it: snapshots before packages, which restore less.
func Choose(ctx context.Context, drivers []Driver, method string, p Point) (Driver, error) {
	var why error
	for _, d := range drivers {
		if method == "snapshot" && d.Name() == MethodPackages || method == "packages" && d.Name() != MethodPackages {
			continue
		}
		err := d.Probe(ctx, p)
		if err == nil {
			return d, nil
		}
		if why == nil {
			why = fmt.Errorf("%s: %w", d.Name(), err)
		} else {
			why = fmt.Errorf("%w; %s: %w", why, d.Name(), err)
		}
	}
	if why == nil {
		return nil, fmt.Errorf("this machine has no rollback by %s", method)
	}
	return nil, fmt.Errorf("there would be no way back: %w", why)
}
