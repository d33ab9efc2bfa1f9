package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Verdict is what intake thought of a request; the words are stored.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // signed by the hook's secret
	Refused  Verdict = "refused"  // not; kept without its body
)

// State is how far a delivery has come; the words are stored.
type State string

// The states. Waiting becomes Done, or Failed after the last attempt; Failed and
// Done become Waiting again by a redelivery.
const (
	Waiting State = "waiting" // to be digested
	Done    State = "done"    // digested, what it caused is committed
	Failed  State = "failed"  // given up; a person decides
	None    State = "none"    // nothing to digest
)

// Effect is something that a delivery caused, for the page to link to.
type Effect struct {
	// Kind is a noun such as "build" or "check".
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Title is what the link says, URL where it leads on this server.
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Delivery is one request of GitHub's to a hook.
type Delivery struct {
	Seq        int64             `json:"-"`
	ID         string            `json:"id"`
	Team       int64             `json:"-"`
	Hook       string            `json:"hook"`
	GUID       string            `json:"guid"`
	Event      string            `json:"event"`
	Action     string            `json:"action"`
	Repository string            `json:"repository"`
	Sender     string            `json:"sender"`
	ReceivedAt Millis            `json:"received_at"`
	Verdict    Verdict           `json:"verdict"`
	Repeats    int               `json:"repeats"`
	Headers    map[string]string `json:"headers,omitempty"`
	// Body is the JSON document, also where it was sent as a form.
	Body       []byte   `json:"-"`
	Size       int64    `json:"size"`
	State      State    `json:"state"`
	Attempts   int      `json:"attempts"`
	NextAt     Millis   `json:"next_attempt_at,omitzero"`
	Error      string   `json:"error"`
	DigestedAt Millis   `json:"digested_at,omitzero"`
	DigestMS   int64    `json:"digest_ms"`
	Caused     []Effect `json:"caused"`
	// GithubID is GitHub's number of it, known when it was fetched or looked for.
	GithubID int64 `json:"github_id,omitempty"`
	// Gap says that it did not arrive by itself and was fetched.
	Gap bool `json:"gap"`
	// Installation is the App's that it is about; 0 for other hooks.
	Installation int64 `json:"installation,omitempty"`
}

// Push reads the body of a push event.
func (d Delivery) Push() (payload.Push, error) { return payload.ParsePush(d.Body) }

const (
	// keepDeliveries is how long deliveries stay on their page.
	keepDeliveries = 30 * 24 * time.Hour
	deliveryTopic  = "ci.delivery"
	blobKind       = "github_delivery"
	// inlineBody is the largest body that is kept in the row.
	inlineBody = 256 << 10
)

// Delivery gives one with headers and body to a caller who may read its team.
func (s *Service) Delivery(ctx context.Context, id string) (Delivery, error) {
	row, err := s.findDelivery(ctx, id)
	if err != nil {
		return Delivery{}, err
	}
	if err := identity.Require(ctx, row.TeamID, reading); err != nil {
		return Delivery{}, err
	}
	list := []Delivery{row.delivery()}
	if err := s.addEffects(ctx, list); err != nil {
		return Delivery{}, err
	}
	list[0].Body, err = s.body(ctx, row)
	return list[0], err
}

// Redeliver has a delivery digested again. What it causes then is up to
// OnDelivery, whose effects are known by their content.
func (s *Service) Redeliver(ctx context.Context, id string) (Delivery, error) {
	var row deliveryRow
	err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if row, err = s.findDelivery(ctx, id); err != nil {
			return err
		}
		if err := identity.Require(ctx, row.TeamID, writing); err != nil {
			return err
		}
		if row.Verdict != string(Accepted) || row.State == string(None) {
			return problem.New(problem.Conflict, "This delivery has nothing to be digested: it was refused, or is a ping.")
		}
		if err := s.waitAgain(ctx, row.Seq); err != nil {
			return err
		}
		row.State, row.Attempts, row.Error, row.NextAttemptAt = string(Waiting), 0, "", 0
		if err := s.publish(ctx, row.TeamID, deliveryTopic, row.HookID); err != nil {
			return err
		}
		s.DB.AfterCommit(ctx, s.wakeDigest)
		return s.audit(ctx, row.TeamID, "github.delivery.redeliver", row.ID, row.Event)
	})
	return row.delivery(), err
}

func (s *Service) body(ctx context.Context, row deliveryRow) ([]byte, error) {
	if row.Blob == "" {
		return row.Body, nil
	}
	content, _, err := s.Blobs.Open(ctx, row.TeamID, row.Blob)
	if err != nil {
		return nil, fmt.Errorf("body of delivery %s: %w", row.ID, err)
	}
	defer content.Close()
	return io.ReadAll(io.LimitReader(content, maxBody))
}

// Prune removes deliveries past their time, and statuses long posted.
func (s *Service) Prune(ctx context.Context) error {
	before := s.Now().Add(-keepDeliveries).UnixMilli()
	for {
		var n int64
		err := s.DB.Tx(ctx, func(ctx context.Context) (err error) {
			seqs, err := s.oldDeliveries(ctx, before, 500)
			if err != nil || len(seqs) == 0 {
				return err
			}
			if err := s.disownBodies(ctx, "seq IN ?", seqs); err != nil {
				return err
			}
			n, err = s.removeDeliveries(ctx, seqs)
			return err
		})
		if err != nil {
			return fmt.Errorf("prune deliveries: %w", err)
		}
		if n == 0 {
			return errors.Join(s.pruneStatuses(ctx, before), s.prunePosts(ctx, before), s.pruneRemovals(ctx, before), s.pruneFarewells(ctx, before))
		}
	}
}
