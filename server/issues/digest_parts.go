package issues

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// attachmentKind is as what an attachment owns its blob.
const attachmentKind = "issues_attachment"

// readAttachment puts an attachment's bytes where blobs are; its row comes in the transaction.
func (s *Service) readAttachment(ctx context.Context, r *ready) error {
	a := r.from
	if a.EventID == "" {
		r.rejected = "the attachment belongs to no event"
		return nil
	}
	row := attachmentRow{TeamID: a.Team, ProjectID: a.Project, EventID: a.EventID, Name: clipText(cmp.Or(a.Header[headerFilename], "attachment"), 200),
		Kind: clipText(cmp.Or(a.Header[headerAttachmentType], "event.attachment"), 100), ContentType: clipText(a.Header[headerContentType], 100),
		CreatedAt: a.Received.UnixMilli()}
	if sha := a.Header[headerBlob]; sha != "" {
		row.SHA256 = sha
		row.Size, _ = strconv.ParseInt(a.Header[headerSize], 10, 64) // the intake wrote it
	} else {
		ref, err := s.Blobs.Put(ctx, a.Team, bytes.NewReader(a.Payload), int64(len(a.Payload)))
		if err != nil {
			return problem.Wrap(err, problem.Unavailable, "An attachment could not be stored.")
		}
		row.SHA256, row.Size = ref.SHA256, ref.Size
	}
	r.attachment = &row
	return nil
}

// storeAttachments links attachments to events that are there or will come.
func (b *digestion) storeAttachments() error {
	for _, r := range b.list {
		if r.attachment == nil || r.dropped || r.rejected != "" {
			continue
		}
		id, err := b.rows.insertAttachment(b.ctx, *r.attachment)
		if err != nil {
			return err
		}
		if id == 0 { // sent twice
			continue
		}
		if err := b.service.Blobs.Own(b.ctx, r.attachment.TeamID, r.attachment.SHA256, attachmentKind, strconv.FormatInt(id, 10)); err != nil {
			return err
		}
	}
	return nil
}

func newFeedback(a *Accepted, event string, f sentry.Feedback) *feedbackRow {
	event = cmp.Or(event, a.EventID)
	row := &feedbackRow{TeamID: a.Team, ProjectID: a.Project, EventID: event, Name: clipText(f.Name, 200), Email: clipText(f.Email, 200),
		Message: clipText(f.Message, 8192), URL: clipText(f.URL, 1000), CreatedAt: a.Received.UnixMilli()}
	row.Key = strconv.FormatInt(hash64(event, row.Name, row.Email, row.Message), 36)
	return row
}

// storeFeedback links what people wrote to their events, whichever came first.
func (b *digestion) storeFeedback() error {
	for _, r := range b.list {
		if r.feedback == nil || r.dropped || r.rejected != "" {
			continue
		}
		if _, err := b.rows.insertFeedback(b.ctx, *r.feedback); err != nil {
			return err
		}
	}
	for _, p := range b.sorted() {
		if len(p.fresh) == 0 {
			continue
		}
		ids := make([]string, len(p.fresh))
		for i, e := range p.fresh {
			ids[i] = e.row.EventID
		}
		if err := b.rows.linkFeedback(b.ctx, p.id, ids); err != nil {
			return err
		}
	}
	return nil
}

// timing is one transaction or span of its own.
type timing struct {
	name, op, trace, release string
	at                       time.Time
	duration                 time.Duration
	failed                   bool
}

// Names of transactions beyond these bounds are counted under otherTimings.
const (
	maxTimings   = 1000 // names a day and project
	maxSamples   = 5
	otherTimings = "(other)"
)

func timingOfTransaction(e *sentry.Event) timing {
	trace := e.Contexts["trace"]
	op, _ := trace["op"].(string)
	status, _ := trace["status"].(string)
	t := timing{name: e.Transaction, op: op, trace: e.TraceID, release: e.Release, at: e.Timestamp, failed: failedStatus(status)}
	if !e.Started.IsZero() {
		t.duration = max(e.Timestamp.Sub(e.Started), 0)
	}
	return t
}

// timingsOfSpans takes the spans that stand for a whole transaction.
func timingsOfSpans(spans []sentry.Span) []timing {
	var list []timing
	for _, s := range spans {
		if !s.Segment && s.ParentID != "" {
			continue
		}
		release, _ := s.Attributes["sentry.release"].(string)
		list = append(list, timing{name: s.Name, op: s.Op, trace: s.TraceID, release: release, at: s.End, duration: max(s.End.Sub(s.Start), 0), failed: failedStatus(s.Status)})
	}
	return list
}

func failedStatus(status string) bool {
	return !slices.Contains([]string{"", "ok", "unset", "cancelled", "unknown"}, status)
}

type timingRow struct {
	ProjectID int64
	Day       int64
	Name      string
	Op        string
	Count     int64
	Failed    int64
	Duration  int64
	Longest   int64
	LastSeen  int64
	Release   string
	Samples   string
}

// timingSample is one of the last few of a transaction's name.
type timingSample struct {
	At       int64  `json:"at"`
	Duration int64  `json:"duration"`
	Trace    string `json:"trace,omitempty"`
}

func (t *timingRow) add(n timing) {
	ms := n.duration.Milliseconds()
	t.Count, t.Duration, t.Longest = t.Count+1, t.Duration+ms, max(t.Longest, ms)
	if n.failed {
		t.Failed++
	}
	t.Op, t.Release, t.LastSeen = cmp.Or(clipText(n.op, 100), t.Op), cmp.Or(clipText(n.release, 200), t.Release), max(t.LastSeen, n.at.UnixMilli())
	var samples []timingSample
	if t.Samples != "" {
		_ = json.Unmarshal([]byte(t.Samples), &samples) // this package wrote it
	}
	samples = append([]timingSample{{n.at.UnixMilli(), ms, n.trace}}, samples...)
	t.Samples = settings(samples[:min(len(samples), maxSamples)])
}

// storeTimings counts transactions per name and day.
func (b *digestion) storeTimings() error {
	wanted := map[int64]map[int64][]timing{} // by project and day of receipt
	for _, r := range b.list {
		if r.dropped || r.rejected != "" {
			continue
		}
		for _, t := range r.timings {
			day := r.from.Received.Unix() / 86400
			if wanted[r.from.Project] == nil {
				wanted[r.from.Project] = map[int64][]timing{}
			}
			wanted[r.from.Project][day] = append(wanted[r.from.Project][day], t)
		}
	}
	for _, p := range b.sorted() {
		for day, list := range wanted[p.id] {
			if err := b.addTimings(p.id, day, list); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *digestion) addTimings(project, day int64, list []timing) error {
	names := []string{otherTimings}
	for _, t := range list {
		names = append(names, timingName(t))
	}
	slices.Sort(names)
	known, count, err := b.rows.timings(b.ctx, project, day, slices.Compact(names))
	if err != nil {
		return err
	}
	changed := map[string]*timingRow{}
	for _, t := range list {
		name := timingName(t)
		row := cmp.Or(changed[name], known[name])
		if row == nil && count >= maxTimings {
			name = otherTimings
			row = cmp.Or(changed[name], known[name])
		}
		if row == nil {
			row = &timingRow{ProjectID: project, Day: day, Name: name}
			count++
		}
		row.add(t)
		changed[name] = row
	}
	return b.rows.saveTimings(b.ctx, changed)
}

func timingName(t timing) string { return clipText(cmp.Or(t.name, "(unnamed)"), 200) }
