package ceremony

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// Role is a part in the ceremony, as people name it.
type Role string

// The roles. A release key signs both targets.json and snapshot.json.
const (
	RoleRoot      Role = "root"
	RoleRelease   Role = "release"
	RoleTimestamp Role = "timestamp"
)

var tufRoles = map[Role][]string{
	RoleRoot: {"root"}, RoleRelease: {"targets", "snapshot"}, RoleTimestamp: {"timestamp"},
}

// Validate refuses unknown roles.
func (r Role) Validate() error {
	if tufRoles[r] == nil {
		return fmt.Errorf("there is no role %q; the roles are root, release and timestamp", string(r))
	}
	return nil
}

// Founding is what the first root says.
type Founding struct {
	Root, Release, Timestamp        []ed25519.PublicKey
	RootThreshold, ReleaseThreshold int
	Expires                         time.Time
}

// Found drafts the first root. It counts once enough root keys have signed it.
func (f *Folder) Found(with Founding) error {
	if f.root != nil {
		return fmt.Errorf("%s has a root already; change it with keys add, rotate or revoke", f.dir)
	}
	body := rootBody{head: newHead("root", 1, with.Expires), Keys: map[string]keyBody{}, Roles: map[string]roleBody{}}
	for _, r := range []struct {
		role      Role
		keys      []ed25519.PublicKey
		threshold int
	}{{RoleRoot, with.Root, with.RootThreshold}, {RoleRelease, with.Release, with.ReleaseThreshold}, {RoleTimestamp, with.Timestamp, 1}} {
		for _, name := range tufRoles[r.role] {
			body.Roles[name] = roleBody{KeyIDs: []string{}, Threshold: r.threshold}
		}
		for _, key := range r.keys {
			body.add(r.role, key)
		}
	}
	if err := body.check(); err != nil {
		return err
	}
	return f.keepDraft(&document[rootBody]{Signed: body})
}

func (b *rootBody) add(role Role, public ed25519.PublicKey) {
	id := KeyID(public)
	b.Keys[id] = documentKey(public)
	for _, name := range tufRoles[role] {
		r := b.Roles[name]
		if !slices.Contains(r.KeyIDs, id) {
			r.KeyIDs = append(slices.Clone(r.KeyIDs), id)
			slices.Sort(r.KeyIDs)
		}
		b.Roles[name] = r
	}
}

func (b *rootBody) remove(role Role, id string) {
	for _, name := range tufRoles[role] {
		r := b.Roles[name]
		r.KeyIDs = slices.DeleteFunc(slices.Clone(r.KeyIDs), func(have string) bool { return have == id })
		b.Roles[name] = r
	}
	for _, r := range b.Roles {
		if slices.Contains(r.KeyIDs, id) {
			return
		}
	}
	delete(b.Keys, id)
}

// check refuses a root that could not be used or would weaken what roles are for.
func (b *rootBody) check() error {
	for _, role := range []Role{RoleRoot, RoleRelease, RoleTimestamp} {
		r := b.Roles[tufRoles[role][0]]
		if r.Threshold < 1 || len(r.KeyIDs) < r.Threshold {
			return fmt.Errorf("role %s would have %d keys where %d must sign", role, len(r.KeyIDs), r.Threshold)
		}
	}
	for _, id := range b.Roles["timestamp"].KeyIDs {
		if slices.Contains(b.Roles["root"].KeyIDs, id) || slices.Contains(b.Roles["targets"].KeyIDs, id) {
			return errors.New("the portal's timestamp key must not be a root or release key: whoever broke into the portal could sign bundles")
		}
	}
	return nil
}

// Change is one alteration of who may sign.
type Change struct {
	Role      Role
	Add       ed25519.PublicKey
	Remove    string // a key's id, or its beginning
	Threshold int    // 0 leaves it
}

// Draft begins the next root, or goes on with the draft that waits, and applies
// the changes. Signatures on an altered draft are dropped. Without any change
// it only moves the date.
func (f *Folder) Draft(expires time.Time, changes ...Change) error {
	body, err := f.next(expires)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if err := c.Role.Validate(); err != nil {
			return err
		}
		if c.Remove != "" {
			id, err := body.find(c.Role, c.Remove)
			if err != nil {
				return err
			}
			body.remove(c.Role, id)
		}
		if c.Add != nil {
			body.add(c.Role, c.Add)
		}
		for _, name := range tufRoles[c.Role] {
			if r := body.Roles[name]; c.Threshold > 0 {
				r.Threshold = c.Threshold
				body.Roles[name] = r
			}
		}
	}
	if err := body.check(); err != nil {
		return err
	}
	return f.keepDraft(&document[rootBody]{Signed: body})
}

func (f *Folder) next(expires time.Time) (rootBody, error) {
	from := f.draft
	if from == nil {
		from = f.root
	}
	if from == nil {
		return rootBody{}, fmt.Errorf("%s has no root yet; begin with keys init", f.dir)
	}
	body := from.Signed
	body.Keys, body.Roles = maps.Clone(body.Keys), maps.Clone(body.Roles)
	body.Expires = expires.UTC().Truncate(time.Second)
	if f.root != nil {
		body.Version = f.root.Signed.Version + 1
	}
	return body, nil
}

func (b *rootBody) find(role Role, prefix string) (string, error) {
	var found []string
	for _, id := range b.Roles[tufRoles[role][0]].KeyIDs {
		if strings.HasPrefix(id, prefix) {
			found = append(found, id)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d keys of role %s begin with %s; keys show lists them", len(found), role, prefix)
	}
	return found[0], nil
}

// Progress is how many signatures something has, and how many it needs.
type Progress struct {
	Have, Need int
	// Done means that it counts from now on.
	Done bool
}

// MayAgree says whether a key may sign the draft.
func (f *Folder) MayAgree(public ed25519.PublicKey) error {
	if f.draft == nil {
		return errors.New("no root waits for signatures")
	}
	id := KeyID(public)
	may := slices.Contains(f.draft.Signed.Roles["root"].KeyIDs, id)
	if f.root != nil {
		may = may || slices.Contains(f.root.Signed.Roles["root"].KeyIDs, id)
	}
	if !may {
		return fmt.Errorf("key %s is no root key, neither before nor after this change", id)
	}
	return nil
}

// SignDraft adds a root key's signature to the draft. With enough of them, by
// the rules of the root before and by its own, the draft becomes the root.
func (f *Folder) SignDraft(key Key) (Progress, error) {
	if err := f.MayAgree(key.Public()); err != nil {
		return Progress{}, err
	}
	d := *f.draft
	d.Signatures = slices.Clone(d.Signatures)
	if err := d.sign(key); err != nil {
		return Progress{}, err
	}
	if err := f.keepDraft(&d); err != nil {
		return Progress{}, err
	}
	progress := f.rootProgress()
	if progress.Have < progress.Need {
		return progress, nil
	}
	return progress, f.finish()
}

// rootProgress counts by both roots and tells the one that lacks more.
func (f *Folder) rootProgress() Progress {
	own := f.draft.Signed
	p := Progress{Have: len(f.draft.signers(own, "root")), Need: own.Roles["root"].Threshold}
	if f.root != nil {
		have, need := len(f.draft.signers(f.root.Signed, "root")), f.root.Signed.Roles["root"].Threshold
		if need-have > p.Need-p.Have {
			p = Progress{Have: have, Need: need}
		}
	}
	p.Done = p.Have >= p.Need
	return p
}

// finish makes the draft the newest root, as verified by the other implementation.
func (f *Folder) finish() error {
	data, err := f.draft.bytes()
	if err != nil {
		return err
	}
	trusted, offered := f.set, bundle.Set{Roots: [][]byte{data}}
	if f.root == nil {
		trusted = offered
	}
	set, err := bundle.AcceptRoots(trusted, offered)
	if err != nil {
		return fmt.Errorf("check the new root: %w", err)
	}
	// Lists that the new root no longer covers stay in the folder until they are signed anew.
	if err := bundle.WriteSet(f.dir, set); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(f.dir, nameDraft)); err != nil {
		return err
	}
	return f.keep(set)
}
