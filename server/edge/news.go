package edge

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/work"
)

// NodeNews is what happened to some of a team's nodes, of which people outside may want
// to hear. A site whose link breaks is one piece of news, not fifty.
type NodeNews struct {
	Team  int64
	Kind  Kind
	Nodes []NewsNode
}

// NewsNode is a node in news.
type NewsNode struct {
	ID, Name, Site, Message string
}

const newsJob = "edge.news"

// newsAfter is how long news of a kind waits for more of it.
var newsAfter = map[Kind]time.Duration{KindLost: time.Minute, KindReturned: 5 * time.Minute, KindDoubled: 10 * time.Second}

// newsPayload says from where on the events are new.
type newsPayload struct {
	Kind  Kind  `json:"kind"`
	After int64 `json:"after"` // an event's id
	Since int64 `json:"since"`
}

// lateEvents is how many events of other transactions may become visible later than
// ones with a higher id.
const lateEvents = 1000

// keepEvents keeps events and sees to it that those are told which people want to
// hear of, in the context's transaction.
func (s *Service) keepEvents(ctx context.Context, list ...Event) error {
	type of struct {
		team int64
		kind Kind
	}
	told := map[of]bool{}
	for _, e := range list {
		at := of{e.Team, e.Kind}
		if newsAfter[e.Kind] == 0 || told[at] || s.Jobs == nil || s.OnNodeNews == nil {
			continue
		}
		told[at] = true
		after, err := s.rows().lastEvent(ctx, e.Team)
		if err != nil {
			return err
		}
		job := work.Job{Kind: newsJob, Team: e.Team, UniqueKey: fmt.Sprintf("%d/%s", e.Team, e.Kind), RunAt: s.Now().Add(newsAfter[e.Kind])}
		if _, err := s.Jobs.EnqueueValue(ctx, job, newsPayload{e.Kind, after, s.millis()}); err != nil {
			return err
		}
	}
	return s.rows().insertEvents(ctx, list...)
}

// runNews tells of what has come together.
func (s *Service) runNews(ctx context.Context, job work.Job) error {
	var p newsPayload
	if err := json.Unmarshal(job.Payload, &p); err != nil {
		return work.GiveUp(err)
	}
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		nodes, err := s.rows().news(ctx, job.Team, p)
		if err != nil || len(nodes) == 0 {
			return err // those of whom to tell were deleted
		}
		slices.SortFunc(nodes, func(a, b NewsNode) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
		nodes = slices.CompactFunc(nodes, func(a, b NewsNode) bool { return a.ID == b.ID })
		return s.OnNodeNews(ctx, NodeNews{job.Team, p.Kind, nodes})
	})
}
