package edge

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/ceremony"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// trustChannel tells all servers the team whose metadata or keys changed.
const trustChannel = "edge.trust"

// trusted is a team's accepted metadata. It is never changed, only replaced.
type trusted struct {
	set bundle.Set
	// view is nil while there is nothing beside roots.
	view *bundle.View
	// root and roles are the newest root's; roles is empty without one.
	root  bundle.Document
	roles []bundle.Role
}

// trusts remembers what was read of each team.
type trusts struct {
	mu    sync.Mutex
	known map[int64]*trusted
	keys  map[int64]timestampKey
	// turn grows with each change: what was read before it is not remembered after it.
	turn int
}

func (t *trusts) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known, t.keys = nil, nil
	t.turn++
}

// trusted is a team's metadata, from memory where it has not changed.
func (s *Service) trusted(ctx context.Context, team int64) (*trusted, error) {
	s.trusts.mu.Lock()
	t, turn := s.trusts.known[team], s.trusts.turn
	s.trusts.mu.Unlock()
	if t != nil {
		return t, nil
	}
	set, err := s.rows().metadata(ctx, team)
	if err != nil {
		return nil, err
	}
	if t, err = readTrusted(set); err != nil {
		return nil, fmt.Errorf("read the metadata of team %d: %w", team, err)
	}
	s.trusts.mu.Lock()
	defer s.trusts.mu.Unlock()
	if s.trusts.known == nil {
		s.trusts.known = map[int64]*trusted{}
	}
	if s.trusts.turn == turn {
		s.trusts.known[team] = t
	}
	return t, nil
}

func readTrusted(set bundle.Set) (t *trusted, err error) {
	t = &trusted{set: set}
	if len(set.Roots) == 0 {
		return t, nil
	}
	if t.root, t.roles, err = bundle.RootRoles(set.Roots[len(set.Roots)-1]); err != nil {
		return nil, err
	}
	if len(set.Targets) > 0 {
		_, t.view, err = bundle.Accept(set, set, bundle.Installed, time.Time{})
		if bundle.KindOf(err) == bundle.Authenticity { // a newer root no longer knows who signed it
			err = nil
		}
	}
	return t, err
}

func (t *trusted) role(name string) bundle.Role {
	if i := slices.IndexFunc(t.roles, func(r bundle.Role) bool { return r.Name == name }); i >= 0 {
		return t.roles[i]
	}
	return bundle.Role{Name: name}
}

// refusal words what bundle says, for people: the kind of the check that failed is in front.
func refusal(err error) error {
	var why *bundle.Error
	if !errors.As(err, &why) {
		return err
	}
	words := map[bundle.Kind]string{bundle.Malformed: "This is no bundle", bundle.Integrity: "Content and signatures do not fit", bundle.Authenticity: "The signatures do not hold",
		bundle.Incomplete: "Something is missing", bundle.Stale: "Too old or expired", bundle.Target: "For other machines"}
	return problem.Wrap(err, problem.Invalid, "%s: %s", words[why.Kind], why.Message)
}

// OfferTrust takes signed metadata: what the signatures carry is accepted, and nothing
// else. The first root of a team has nobody to vouch for it, so an administrator of the team does.
func (s *Service) OfferTrust(ctx context.Context, team int64, offered bundle.Set) error {
	if err := identity.Require(ctx, team, writing); err != nil {
		return err
	}
	before, err := s.trusted(ctx, team)
	if err != nil {
		return err
	}
	if len(before.set.Roots) == 0 {
		if err := identity.Require(ctx, team, administering); err != nil {
			return err
		}
	}
	after, err := s.judge(before.set, offered)
	if err != nil {
		return err
	}
	if len(before.set.Roots) == 0 { // later ones count whatever they name: their signatures say so
		first, err := readTrusted(after)
		if err == nil {
			_, err = s.activeKey(ctx, team, first)
		}
		if err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error { return s.keepTrust(ctx, team, before, after) })
}

// judge gives the metadata that is trusted after an offer. Roots count even where
// nothing comes with them.
func (s *Service) judge(before, offered bundle.Set) (bundle.Set, error) {
	known := before
	if len(known.Roots) == 0 {
		if len(offered.Roots) == 0 {
			return known, problem.New(problem.Conflict, "The team has no root yet. Bring the root that the key ceremony made first.")
		}
		known = bundle.Set{Roots: offered.Roots[:1]}
	}
	offered.Timestamp = nil // ours is made here
	after, err := bundle.AcceptRoots(known, offered)
	if err == nil && (len(offered.Targets) > 0 || len(offered.Snapshot) > 0) {
		after, _, err = bundle.Accept(known, offered, bundle.Carried, s.Now())
	}
	after.Timestamp = nil
	return after, refusal(err)
}

// keepTrust writes what is new, with a timestamp of ours over it. It is called in a transaction.
func (s *Service) keepTrust(ctx context.Context, team int64, before *trusted, after bundle.Set) error {
	t, err := readTrusted(after)
	if err != nil {
		return err
	}
	if len(after.Roots) != len(before.set.Roots) || len(before.set.Roots) == 0 {
		if err := s.keepRoots(ctx, team, before, after); err != nil {
			return err
		}
	}
	if t.view != nil {
		for _, d := range []struct {
			role string
			body []byte
			bundle.Document
		}{{"targets", after.Targets, t.view.Targets}, {"snapshot", after.Snapshot, t.view.Snapshot}} {
			if err := s.rows().setMetadata(ctx, team, metadataOf(d.role, d.Document, d.body), identity.From(ctx).Name, s.millis()); err != nil {
				return err
			}
		}
		if err := s.stamp(ctx, team, t); err != nil {
			return err
		}
	}
	return s.trustChanged(ctx, team)
}

func (s *Service) keepRoots(ctx context.Context, team int64, before *trusted, after bundle.Set) error {
	for _, raw := range after.Roots {
		d, _, err := bundle.RootRoles(raw)
		if err != nil {
			return err
		}
		if d.Version <= before.root.Version {
			continue
		}
		if err := s.rows().insertRoot(ctx, team, metadataOf("root", d, raw), identity.From(ctx).Name, s.millis()); err != nil {
			return err
		}
		if err := s.audit(ctx, team, "edge.trust.root", fmt.Sprintf("root %d", d.Version), ""); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) trustChanged(ctx context.Context, team int64) error {
	s.DB.AfterCommit(ctx, s.trusts.forget) // at once here; the others hear of it
	if err := s.DB.Notify(ctx, trustChannel, fmt.Sprint(team)); err != nil {
		return err
	}
	return s.publish(ctx, team, "edge.trust", "")
}

// stamp makes a timestamp over the snapshot, which says that it is the newest.
func (s *Service) stamp(ctx context.Context, team int64, t *trusted) error {
	key, err := s.activeKey(ctx, team, t) // of this root, which may be newer than what is remembered
	if err != nil {
		return err
	}
	last, err := s.rows().metadataVersion(ctx, team, "timestamp")
	if err != nil {
		return err
	}
	expires := s.Now().Add(s.TimestampLife).UTC().Truncate(time.Second)
	raw, err := ceremony.SignTimestamp(key.private, t.set.Snapshot, last+1, expires)
	if err != nil {
		return err
	}
	return s.rows().setMetadata(ctx, team, metadataOf("timestamp", bundle.Document{Version: last + 1, Expires: expires}, raw), "", s.millis())
}

// restamp renews timestamps before they expire.
func (s *Service) restamp(ctx context.Context) error {
	teams, err := s.rows().staleTimestamps(ctx, s.Now().Add(s.TimestampLife/2).UnixMilli())
	if err != nil {
		return err
	}
	var failed []error
	for _, team := range teams {
		t, err := s.trusted(ctx, team)
		if err == nil && t.view != nil {
			err = s.DB.Tx(ctx, func(ctx context.Context) error {
				if err := s.stamp(ctx, team, t); err != nil {
					return err
				}
				return s.trustChanged(ctx, team)
			})
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("renew the timestamp of team %d: %w", team, err))
		}
	}
	return errors.Join(failed...)
}

// timestampKey is the one key of a team that this server holds.
type timestampKey struct {
	ID        string     `json:"id"`
	Public    []byte     `json:"public_key"`
	CreatedBy string     `json:"created_by"`
	CreatedAt api.Millis `json:"created_at"`
	// Active tells whether the newest root names it.
	Active  bool `json:"active"`
	private ed25519.PrivateKey
}

// timestampKey is a team's newest key that the root names.
func (s *Service) timestampKey(ctx context.Context, team int64, t *trusted) (timestampKey, error) {
	s.trusts.mu.Lock()
	key, known := s.trusts.keys[team]
	turn := s.trusts.turn
	s.trusts.mu.Unlock()
	if known {
		return key, nil
	}
	key, err := s.activeKey(ctx, team, t)
	if err != nil {
		return key, err
	}
	s.trusts.mu.Lock()
	defer s.trusts.mu.Unlock()
	if s.trusts.keys == nil {
		s.trusts.keys = map[int64]timestampKey{}
	}
	if s.trusts.turn == turn {
		s.trusts.keys[team] = key
	}
	return key, nil
}

func (s *Service) activeKey(ctx context.Context, team int64, t *trusted) (timestampKey, error) {
	list, err := s.timestampKeys(ctx, team, t)
	if err != nil {
		return timestampKey{}, err
	}
	i := slices.IndexFunc(list, func(k timestampKey) bool { return k.Active })
	if i < 0 {
		return timestampKey{}, problem.New(problem.Conflict, "The root does not name this server's timestamp key. Sign a root that does: the key is on the keys page.")
	}
	return list[i], nil
}

// timestampKeys are a team's, the newest first.
func (s *Service) timestampKeys(ctx context.Context, team int64, t *trusted) ([]timestampKey, error) {
	list, err := s.rows().timestampKeys(ctx, team)
	if err != nil {
		return nil, err
	}
	out := make([]timestampKey, len(list))
	for i, row := range list {
		seed, err := s.Box.Open(keyTable, row.ID, row.Sealed)
		if err != nil {
			return nil, fmt.Errorf("open the timestamp key of team %d: %w", team, err)
		}
		private := ed25519.NewKeyFromSeed(seed)
		public := private.Public().(ed25519.PublicKey)
		active := slices.ContainsFunc(t.role("timestamp").Keys, func(k bundle.Key) bool { return k.ID == row.ID })
		out[i] = timestampKey{row.ID, public, row.CreatedBy, api.Millis(row.CreatedAt), active, private}
	}
	return out, nil
}

const maxTimestampKeys = 20

// CreateTimestampKey makes a key for the next root to name.
func (s *Service) CreateTimestampKey(ctx context.Context, team int64) (timestampKey, error) {
	if err := identity.Require(ctx, team, administering); err != nil {
		return timestampKey{}, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return timestampKey{}, err
	}
	key := timestampKey{ID: ceremony.KeyID(public), Public: public, CreatedBy: identity.From(ctx).Name, CreatedAt: api.Millis(s.millis()), private: private}
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		list, err := s.rows().timestampKeys(ctx, team)
		if err != nil {
			return err
		}
		if len(list) >= maxTimestampKeys {
			return problem.New(problem.Conflict, "The team has %d timestamp keys, which is the most.", maxTimestampKeys)
		}
		if err := s.rows().insertTimestampKey(ctx, team, key, s.Box.Seal(keyTable, key.ID, private.Seed())); err != nil {
			return err
		}
		if err := s.audit(ctx, team, "edge.trust.key", key.ID, ""); err != nil {
			return err
		}
		return s.trustChanged(ctx, team)
	})
	return key, err
}

// Seal signs an order with the team's timestamp key.
func (s *Service) Seal(ctx context.Context, team int64, a protocol.Assignment) (*protocol.Envelope, error) {
	t, err := s.trusted(ctx, team)
	if err != nil {
		return nil, err
	}
	key, err := s.timestampKey(ctx, team, t)
	if err != nil {
		return nil, err
	}
	return protocol.Seal(a, key.ID, key.private)
}

// rawRoots is the chain for nodes that enrol.
func (t *trusted) rawRoots() []json.RawMessage {
	out := make([]json.RawMessage, len(t.set.Roots))
	for i, r := range t.set.Roots {
		out[i] = r
	}
	return out
}
