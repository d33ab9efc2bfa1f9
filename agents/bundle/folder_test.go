package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestPowerCutWhileWriting stops WriteSet before each of its files, by a folder
// of that name in the way, and reads what a node would find afterwards.
func TestPowerCutWhileWriting(t *testing.T) {
	t.Parallel()
	root := firstRoot().bytes(t)
	second := firstRoot()
	second.version = 2
	p := pack(1)
	before := firstRelease(p).set(t, root)
	after := firstRelease(p, pack(2)).at(2).set(t, root, second.bytes(t))
	for _, c := range []struct {
		stop string
		want Set
	}{
		{nameRoot(2), before},
		{namePending, Set{Roots: after.Roots, Timestamp: before.Timestamp, Snapshot: before.Snapshot, Targets: before.Targets}},
		{nameTargets, after},
		{nameSnapshot, after},
		{nameTimestamp, after},
		{"", after},
	} {
		dir := t.TempDir()
		if err := WriteSet(dir, before); err != nil {
			t.Fatal(err)
		}
		if c.stop != "" {
			path := filepath.Join(dir, c.stop)
			aside := path + ".aside"
			if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
				t.Fatal(err)
			}
			if c.stop == nameRoot(2) { // roots that are there are left alone, so here the folder itself is in the way
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(os.Rename(filepath.Join(dir, "root"), filepath.Join(dir, "aside")), os.WriteFile(filepath.Join(dir, "root"), nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if err := WriteSet(dir, after); err == nil {
				t.Fatalf("%s in the way did not stop it", c.stop)
			}
			if c.stop == nameRoot(2) {
				if err := errors.Join(os.Remove(filepath.Join(dir, "root")), os.Rename(filepath.Join(dir, "aside"), filepath.Join(dir, "root"))); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(aside, path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		} else if err := WriteSet(dir, after); err != nil {
			t.Fatal(err)
		}
		got, err := ReadSet(dir)
		if err != nil || !sameSet(got, c.want) {
			t.Errorf("stopped at %q: %v, read %s", c.stop, err, describe(got))
		}
		if _, _, err := Accept(got, got, Installed, today); err != nil {
			t.Errorf("stopped at %q: %v", c.stop, err)
		}
		// The next write clears up.
		if err := WriteSet(dir, after); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadSet(dir); err != nil || !sameSet(got, after) {
			t.Errorf("written again after %q: %v", c.stop, err)
		}
		if _, err := os.Stat(filepath.Join(dir, namePending)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after %q the pending file is still there", c.stop)
		}
	}
}

func describe(s Set) string {
	return fmt.Sprintf("%d roots, %d %d %d bytes", len(s.Roots), len(s.Timestamp), len(s.Snapshot), len(s.Targets))
}

func TestTrustFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "trust")
	if _, err := OpenTrust(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := InitTrust(dir, nil); err == nil {
		t.Error("pinned nothing")
	}
	unsigned := firstRoot()
	unsigned.signers = []string{"r1"}
	if _, err := InitTrust(dir, [][]byte{unsigned.bytes(t)}); ExitCode(err) != 3 {
		t.Errorf("pinned a root with one signature of two: %v", err)
	}
	forked := firstRoot()
	forked.version, forked.roots, forked.signers = 2, []string{"x1", "x2"}, []string{"x1", "x2"}
	if _, err := InitTrust(dir, [][]byte{firstRoot().bytes(t), forked.bytes(t)}); ExitCode(err) != 3 {
		t.Errorf("pinned a chain that does not hold: %v", err)
	}
	gap := firstRoot()
	gap.version = 3
	if _, err := InitTrust(dir, [][]byte{firstRoot().bytes(t), gap.bytes(t)}); ExitCode(err) != 4 {
		t.Errorf("pinned a chain with a gap: %v", err)
	}
	trust, err := InitTrust(dir, [][]byte{firstRoot().bytes(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.View(); ExitCode(err) != 3 {
		t.Errorf("a root alone vouches for nothing: %v", err)
	}
	if _, err := InitTrust(dir, [][]byte{firstRoot().bytes(t)}); err == nil {
		t.Error("pinned twice")
	}
	if err := os.WriteFile(filepath.Join(dir, nameFloor), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTrust(dir); err == nil {
		t.Error("a broken floor was taken for none: that would let old bundles in")
	}
}

func TestUpdateFetchesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	root, p := firstRoot().bytes(t), pack(1)
	one := firstRelease(p).set(t, root)
	again := firstRelease(p)
	again.timestampExpiry = today.Add(14 * day)
	fresh := again.set(t, root)
	trust := pinned(t)
	for _, c := range []struct {
		set  Set
		want string
	}{
		{one, "[2.root.json timestamp.json snapshot.json targets.json]"},
		{one, "[2.root.json timestamp.json]"},
		{fresh, "[2.root.json timestamp.json]"},
	} {
		var asked []string
		serve := portal(c.set, 1)
		_, err := trust.Update(t.Context(), func(ctx context.Context, name string, limit int64) ([]byte, error) {
			asked = append(asked, name)
			return serve(ctx, name, limit)
		}, today)
		if err != nil || fmt.Sprint(asked) != c.want {
			t.Errorf("asked for %v: %v", asked, err)
		}
	}
	broken := errors.New("the line is cut")
	_, err := trust.Update(t.Context(), func(context.Context, string, int64) ([]byte, error) { return nil, broken }, today)
	if !errors.Is(err, broken) || ExitCode(err) != 1 {
		t.Errorf("%v", err)
	}
	_, err = trust.Update(t.Context(), func(context.Context, string, int64) ([]byte, error) { return nil, fs.ErrNotExist }, today)
	wantExit(t, err, 4)
	_, err = trust.Update(t.Context(), func(_ context.Context, _ string, limit int64) ([]byte, error) { return make([]byte, limit+1), nil }, today)
	wantExit(t, err, 2)
	// A portal that publishes between two fetches is asked again.
	two := firstRelease(p, pack(2)).at(3).set(t, root)
	calls := 0
	view, err := trust.Update(t.Context(), func(ctx context.Context, name string, limit int64) ([]byte, error) {
		calls++
		if calls > 2 { // roots and timestamp came from the edition before
			return portal(two, 1)(ctx, name, limit)
		}
		middle := firstRelease(p).at(2).set(t, root)
		return portal(middle, 1)(ctx, name, limit)
	}, today)
	if err != nil || view.Targets.Version != 3 || calls != 8 {
		t.Errorf("after %d calls %+v: %v", calls, view, err)
	}
}
