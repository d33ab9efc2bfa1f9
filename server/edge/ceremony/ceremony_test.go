package ceremony

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

func TestKeyFile(t *testing.T) {
	t.Parallel()
	key, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := key.Seal("correct horse", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := OpenKey(data, "correct horse"); err != nil || again.ID() != key.ID() {
		t.Errorf("%v: %v", again, err)
	}
	if bytes.Contains(data, key.private.Seed()) || strings.Contains(fmt.Sprintf("%v %s %+v", key, key, key), fmt.Sprintf("%d", key.private[0])+" "+fmt.Sprintf("%d", key.private[1])) {
		t.Error("the private half is to be seen")
	}
	spoilt := func(change func(s *sealed)) []byte {
		var s sealed
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatal(err)
		}
		change(&s)
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, c := range map[string]struct {
		data       []byte
		passphrase string
	}{
		"wrong passphrase":       {data, "wrong horse"},
		"no passphrase":          {data, ""},
		"no JSON":                {[]byte("-----BEGIN"), "correct horse"},
		"another schema":         {spoilt(func(s *sealed) { s.Schema = 2 }), "correct horse"},
		"all of the memory":      {spoilt(func(s *sealed) { s.Memory = 1 << 31 }), "correct horse"},
		"all of the time":        {spoilt(func(s *sealed) { s.Time = 1 << 31 }), "correct horse"},
		"a swapped public half":  {spoilt(func(s *sealed) { s.Public = keyOf("x").Public() }), "correct horse"},
		"a nonce that is short":  {spoilt(func(s *sealed) { s.Nonce = s.Nonce[:4] }), "correct horse"},
		"a damaged private half": {spoilt(func(s *sealed) { s.Private[0] ^= 1 }), "correct horse"},
	} {
		if _, err := OpenKey(c.data, c.passphrase); err == nil {
			t.Errorf("%s: it opened", name)
		}
	}
	if _, err := key.Seal("", rand.Reader); err == nil {
		t.Error("sealed with nothing")
	}
	for _, text := range []string{FormatPublic(key.Public()), FormatPublic(key.Public()) + "\n", strings.TrimPrefix(FormatPublic(key.Public()), "ed25519 "), fmt.Sprintf("%x", []byte(key.Public()))} {
		if public, err := ParsePublic(text); err != nil || !public.Equal(key.Public()) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParsePublic("ssh-ed25519 AAAA"); err == nil {
		t.Error("a key of another kind was read")
	}
}

func TestFoundingTakesTwoOfThree(t *testing.T) {
	t.Parallel()
	f := folder(t)
	if err := f.Found(founding()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignDraft(keyOf("a")); err == nil {
		t.Error("a release key signed the root")
	}
	for range 2 { // the same person twice is one person
		p, err := f.SignDraft(keyOf("r3"))
		if err != nil || p.Done || p.Have != 1 || p.Need != 2 {
			t.Errorf("%+v: %v", p, err)
		}
	}
	reopened, err := Open(f.dir)
	if err != nil || reopened.root != nil {
		t.Fatalf("a root with one signature counts: %v", err)
	}
	if p, err := reopened.SignDraft(keyOf("r1")); err != nil || !p.Done {
		t.Fatalf("%+v: %v", p, err)
	}
	if _, err := reopened.SignDraft(keyOf("r2")); err == nil {
		t.Error("there is nothing left to sign")
	}
	if err := reopened.Found(founding()); err == nil {
		t.Error("founded twice")
	}
	for name, spoil := range map[string]func(*Founding){
		"too few root keys":              func(w *Founding) { w.Root = w.Root[:1] },
		"no release key":                 func(w *Founding) { w.Release = nil },
		"no portal":                      func(w *Founding) { w.Timestamp = nil },
		"the portal may sign bundles":    func(w *Founding) { w.Timestamp = w.Release },
		"the portal may change the root": func(w *Founding) { w.Timestamp = w.Root[:1] },
		"nobody has to sign":             func(w *Founding) { w.RootThreshold = 0 },
	} {
		with := founding()
		spoil(&with)
		if err := folder(t).Found(with); err == nil {
			t.Errorf("%s: founded", name)
		}
	}
}

func TestSigning(t *testing.T) {
	t.Parallel()
	f := founded(t, nil)
	one, two := pack(1), pack(2)
	set := sign(t, f, one, "a")
	if code := apply(t, pinned(t, f), one.file(t, set), today); code != 0 {
		t.Errorf("exit %d", code)
	}
	again := sign(t, f, one, "a") // signing the same again does no harm
	if code := apply(t, pinned(t, f), one.file(t, again), today); code != 0 {
		t.Errorf("exit %d", code)
	}
	sign(t, f, two, "a")
	// A file whose list is out of date is signed afresh.
	if set, progress, err := f.Sign(t.Context(), request(one.file(t, again), "a")); err != nil || !progress.Done || targetsVersion(set.Targets) != 4 {
		t.Errorf("%+v: %v", progress, err)
	}
	other, same, late := pack(2), pack(1), pack(3)
	other.manifest.Requires.Reboot = bundle.RebootAlways
	same.manifest.BundleID = "build-1b"
	late.manifest.Expires = today.Add(-time.Hour)
	for name, r := range map[string]Release{
		"another bundle of the same name": request(other.file(t, bundle.Set{}), "a"),
		"an older version":                request(same.file(t, bundle.Set{}), "a"),
		"an expired bundle":               request(late.file(t, bundle.Set{}), "a"),
		"no key":                          request(two.file(t, bundle.Set{})),
		"the portal's key":                request(two.file(t, bundle.Set{}), "t"),
		"a root key":                      request(two.file(t, bundle.Set{}), "r1"),
		"a bundle that is not on the list to drop": func() Release {
			r := request(nil, "a")
			r.Drop = []string{"build-7"}
			return r
		}(),
		"after the root's date": func() Release { r := request(two.file(t, bundle.Set{}), "a"); r.Now = inAYear.Add(time.Hour); return r }(),
	} {
		if _, _, err := f.Sign(t.Context(), r); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	broken := pack(4)
	data := bytes.Replace(broken.bytes(t, bundle.Set{}), []byte("package of"), []byte("malware at"), 1)
	file, err := bundle.NewFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Sign(t.Context(), request(file, "a")); bundle.KindOf(err) != bundle.Integrity {
		t.Errorf("a bundle with another package inside: %v", err)
	}
	// What was vouched for can be withdrawn.
	r := request(nil, "a")
	r.Drop = []string{"build-1"}
	if _, _, err := f.Sign(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if list, err := f.Bundles(); err != nil || len(list) != 1 || list[0].ID != "build-2" {
		t.Errorf("%+v: %v", list, err)
	}
}

func TestTwoReleasePeople(t *testing.T) {
	t.Parallel()
	alice := founded(t, func(w *Founding) { w.Release, w.ReleaseThreshold = publics("a", "b", "c"), 2 })
	bob := copyOf(t, alice)
	p := pack(1)
	half, progress, err := alice.Sign(t.Context(), request(p.file(t, bundle.Set{}), "a"))
	if err != nil || progress.Done || progress.Have != 1 || progress.Need != 2 {
		t.Fatalf("%+v: %v", progress, err)
	}
	if code := apply(t, pinned(t, alice), p.file(t, half), today); code != 3 {
		t.Errorf("with one signature of two: exit %d", code)
	}
	if len(alice.set.Targets) > 0 {
		t.Error("half a signature is in the folder")
	}
	whole, progress, err := bob.Sign(t.Context(), request(p.file(t, half), "b"))
	if err != nil || !progress.Done {
		t.Fatalf("%+v: %v", progress, err)
	}
	if code := apply(t, pinned(t, alice), p.file(t, whole), today); code != 0 {
		t.Errorf("with two signatures: exit %d", code)
	}
	// Alice has not heard yet that it is finished.
	two := pack(2)
	next, _, err := bob.Sign(t.Context(), request(two.file(t, bundle.Set{}), "b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := alice.Sign(t.Context(), request(two.file(t, next), "a")); err == nil || !strings.Contains(err.Error(), "keys import") {
		t.Errorf("signed on top of another list: %v", err)
	}
	if err := alice.Import(whole); err != nil {
		t.Fatal(err)
	}
	full, progress, err := alice.Sign(t.Context(), request(two.file(t, next), "a"))
	if err != nil || !progress.Done {
		t.Fatalf("%+v: %v", progress, err)
	}
	trust := pinned(t, alice)
	if code := apply(t, trust, two.file(t, full), today); code != 0 {
		t.Errorf("exit %d", code)
	}
	if code := apply(t, trust, p.file(t, whole), today); code != 0 {
		t.Errorf("the first bundle is still on the list: exit %d", code)
	}
	// A colleague cannot slip in something else beside.
	evil := copyOf(t, bob)
	if err := evil.Import(full); err != nil {
		t.Fatal(err)
	}
	beside := pack(3)
	slipped, _, err := evil.Sign(t.Context(), request(beside.file(t, bundle.Set{}), "c"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := alice.Sign(t.Context(), request(pack(4).file(t, slipped), "a")); err == nil {
		t.Error("signed a list with another bundle in it")
	}
	if err := alice.Import(whole); err == nil {
		t.Error("went back to an older list")
	}
	// A list without a bundle is signed by all at once.
	if _, _, err := alice.Sign(t.Context(), request(nil, "a")); err == nil {
		t.Error("signed the list alone")
	}
	if _, _, err := alice.Sign(t.Context(), request(nil, "a", "b")); err != nil {
		t.Error(err)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	f := founded(t, nil)
	one := pack(1)
	trust := pinned(t, f)
	if code := apply(t, trust, one.file(t, sign(t, f, one, "a")), today); code != 0 {
		t.Fatalf("exit %d", code)
	}
	thief := copyOf(t, f)
	later := inAYear.AddDate(1, 0, 0)
	if err := f.Draft(later, Change{Role: RoleRelease, Remove: keyOf("a").ID()[:12], Add: keyOf("b").Public()}); err != nil {
		t.Fatal(err)
	}
	agree(t, f, "r2", "r3")
	if lines, err := f.Describe(today); err != nil || !strings.Contains(strings.Join(lines, "\n"), "sign it anew") {
		t.Errorf("%v: %v", lines, err)
	}
	if _, _, err := f.Sign(t.Context(), request(nil, "a")); err == nil {
		t.Error("the revoked key signed")
	}
	if set := f.Set(); len(set.Roots) != 2 || set.Targets != nil {
		t.Error("the revoked key's list would be published with the root that revokes it")
	}
	set, progress, err := f.Sign(t.Context(), request(nil, "b"))
	if err != nil || !progress.Done || f.Set().Targets == nil {
		t.Fatalf("%+v: %v", progress, err)
	}
	if code := apply(t, trust, one.file(t, set), today); code != 0 {
		t.Errorf("the list signed anew: exit %d", code)
	}
	stolen := pack(2)
	set = sign(t, thief, stolen, "a")
	if code := apply(t, trust, stolen.file(t, set), today); code != 3 {
		t.Errorf("the stolen key: exit %d", code)
	}
	// A bundle that only the revoked key has signed is like an unsigned one to the new key.
	set, progress, err = f.Sign(t.Context(), request(stolen.file(t, set), "b"))
	if err != nil || !progress.Done {
		t.Fatalf("%+v: %v", progress, err)
	}
	if code := apply(t, trust, stolen.file(t, set), today); code != 0 {
		t.Errorf("signed with the new key: exit %d", code)
	}
	// Signing what is signed once more changes nothing.
	again, progress, err := f.Sign(t.Context(), request(stolen.file(t, set), "b"))
	if err != nil || !progress.Done || !bytes.Equal(again.Targets, set.Targets) {
		t.Errorf("%+v: %v", progress, err)
	}
	// A folder that was left behind catches up by a bundle.
	behind := copyOf(t, thief)
	if err := behind.Import(bundle.Set{Roots: f.set.Roots}); err != nil || behind.root.Signed.Version != 2 {
		t.Errorf("%v", err)
	}
}

func TestRevokingARootKeyTakesOldAndNew(t *testing.T) {
	t.Parallel()
	f := founded(t, nil)
	if err := f.Draft(inAYear, Change{Role: RoleRoot, Remove: keyOf("r1").ID(), Add: keyOf("r4").Public()}); err != nil {
		t.Fatal(err)
	}
	// r4 counts for the new root only, r2 for both, so r2 and r4 are one by the old.
	for _, name := range []string{"r4", "r2"} {
		if p, err := f.SignDraft(keyOf(name)); err != nil || p.Done {
			t.Fatalf("%s: %+v %v", name, p, err)
		}
	}
	if p, err := f.SignDraft(keyOf("r3")); err != nil || !p.Done {
		t.Fatalf("%+v: %v", p, err)
	}
	if err := f.Draft(inAYear, Change{Role: RoleTimestamp, Add: keyOf("t2").Public()}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.SignDraft(keyOf("r1")); err == nil {
		t.Error("the revoked root key signed")
	}
	if p, err := f.SignDraft(keyOf("r2")); err != nil || p.Have != 1 {
		t.Fatalf("%+v: %v", p, err)
	}
	// Altering the draft asks everybody again.
	if err := f.Draft(inAYear, Change{Role: RoleTimestamp, Remove: keyOf("t").ID()}); err != nil {
		t.Fatal(err)
	}
	if p := f.rootProgress(); p.Have != 0 {
		t.Errorf("%+v", p)
	}
	agree(t, f, "r2", "r4")
	if len(f.root.Signed.Roles["timestamp"].KeyIDs) != 1 || f.root.Signed.Version != 3 {
		t.Errorf("%+v", f.root.Signed)
	}
	for name, c := range map[string]Change{
		"an unknown key":        {Role: RoleRelease, Remove: "ffff"},
		"the last release key":  {Role: RoleRelease, Remove: keyOf("a").ID()},
		"an unknown role":       {Role: "snapshot", Threshold: 2},
		"more than there are":   {Role: RoleRoot, Threshold: 9},
		"the portal as release": {Role: RoleRelease, Add: keyOf("t2").Public()},
	} {
		if err := f.Draft(inAYear, c); err == nil {
			t.Errorf("%s: drafted", name)
		}
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	f := founded(t, nil)
	p := pack(1)
	set := sign(t, f, p, "a")
	serve := func(timestamp []byte) bundle.Fetcher {
		files := map[string][]byte{"timestamp.json": timestamp, "snapshot.json": set.Snapshot, "targets.json": set.Targets}
		return func(_ context.Context, name string, _ int64) ([]byte, error) {
			if data, ok := files[name]; ok {
				return data, nil
			}
			return nil, fs.ErrNotExist
		}
	}
	stamp := func(key ed25519.PrivateKey, version int64, expires time.Time) []byte {
		data, err := SignTimestamp(key, set.Snapshot, version, expires)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	trust := pinned(t, f)
	for i, c := range []struct {
		timestamp []byte
		now       time.Time
		code      int
	}{
		{stamp(keyOf("t").private, 2, today.AddDate(0, 0, 7)), today, 0},
		{stamp(keyOf("t").private, 1, today.AddDate(0, 0, 7)), today, 9},
		{stamp(keyOf("a").private, 3, today.AddDate(0, 0, 7)), today, 3},
		{stamp(keyOf("t").private, 3, today.AddDate(0, 0, 7)), today.AddDate(0, 0, 8), 9},
		{stamp(keyOf("t").private, 4, today.AddDate(0, 0, 15)), today.AddDate(0, 0, 8), 0},
	} {
		view, err := trust.Update(t.Context(), serve(c.timestamp), c.now)
		if bundle.ExitCode(err) != c.code {
			t.Errorf("timestamp %d: exit %d, want %d: %v", i, bundle.ExitCode(err), c.code, err)
		}
		if err == nil && len(view.OnlineKeys()[keyOf("t").ID()]) != ed25519.PublicKeySize {
			t.Errorf("timestamp %d: the portal's key is not among %v", i, view.OnlineKeys())
		}
	}
	if _, err := SignTimestamp(keyOf("t").private, []byte("no snapshot"), 1, today); err == nil {
		t.Error("signed nonsense")
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	f := founded(t, nil)
	sign(t, f, pack(1), "a")
	if err := f.Draft(inAYear, Change{Role: RoleRelease, Remove: keyOf("a").ID(), Add: keyOf("b").Public()}); err != nil {
		t.Fatal(err)
	}
	for now, want := range map[time.Time][]string{
		today:                      {"Root 1, valid until 2027-11-21", "2 of 3 must sign", "Draft of root 2: 0 of 2", "+ " + keyOf("b").ID(), "- " + keyOf("a").ID(), "List 1 of 1 bundles", "build-1"},
		inAYear.AddDate(0, 0, -30): {"only 30 days left"},
		inAYear.Add(time.Hour):     {"EXPIRED on 2027-11-21"},
	} {
		lines, err := f.Describe(now)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(strings.Join(lines, "\n"), part) {
				t.Errorf("at %s %q is missing in\n%s", now, part, strings.Join(lines, "\n"))
			}
		}
	}
	if lines, err := folder(t).Describe(today); err != nil || len(lines) != 1 {
		t.Error(lines, err)
	}
	if err := folder(t).Import(f.set); err == nil {
		t.Error("an empty folder trusted the first who came")
	}
}
