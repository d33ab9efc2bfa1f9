package issues

import (
	"cmp"
	"context"
	"io"
	"mime"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/issues/grouping"
	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) eventRoutes(r api.Router) {
	read := api.Scoped("issues", identity.Read)
	r.GET("/issues/:id/events", read, api.Handle(s.httpEvents))
	r.GET("/issues/:id/events/:event", read, api.Handle(s.httpEvent))
	r.GET("/issues/:id/feedback", read, api.Handle(s.httpFeedback))
	r.GET("/events/:event", read, api.Handle(s.httpFindEvent))
	r.GET("/attachments/:id", read, s.httpAttachment)
	r.GET("/projects/:id/transactions", read, api.Handle(s.httpTransactions))
}

type eventsIn struct {
	ID     int64  `uri:"id" json:"-" form:"-"`
	Cursor string `form:"cursor" json:"-"`
	Limit  int    `form:"limit" json:"-"`
}

type eventItem struct {
	EventID     string     `json:"event_id"`
	Title       string     `json:"title"`
	Timestamp   api.Millis `json:"timestamp"`
	Received    api.Millis `json:"received"`
	Level       string     `json:"level"`
	Environment string     `json:"environment"`
	Release     string     `json:"release"`
	User        string     `json:"user"`
}

type eventPage struct {
	Events []eventItem `json:"events"`
	Next   string      `json:"next"`
}

func itemOfEvent(e eventRow) eventItem {
	return eventItem{e.EventID, e.Title, api.Millis(e.Timestamp), api.Millis(e.Received), e.Level, e.Environment, e.Release, e.UserLabel}
}

func (s *Service) httpEvents(ctx context.Context, in eventsIn) (eventPage, error) {
	out := eventPage{Events: []eventItem{}}
	if _, err := s.issueFor(ctx, in.ID, reading); err != nil {
		return out, err
	}
	limit := min(max(cmp.Or(in.Limit, 50), 1), 200)
	var behind eventPlace
	if in.Cursor != "" {
		p, err := parsePlace(in.Cursor)
		if err != nil {
			return out, err
		}
		behind = eventPlace{p.Value, p.ID}
	}
	list, err := s.rows().events(ctx, in.ID, behind, limit+1)
	if len(list) > limit {
		list = list[:limit]
		out.Next = place{list[limit-1].Timestamp, list[limit-1].ID}.cursor()
	}
	for _, e := range list {
		out.Events = append(out.Events, itemOfEvent(e))
	}
	return out, err
}

type eventIn struct {
	ID    int64  `uri:"id" json:"-" form:"-"`
	Event string `uri:"event" json:"-" form:"-"`
}

// eventShape is one event with its way to the others. Previous is older.
type eventShape struct {
	Issue       int64             `json:"issue"`
	Event       sentry.Event      `json:"event"`
	Tags        []sentry.Pair     `json:"tags"`
	Previous    string            `json:"previous"`
	Next        string            `json:"next"`
	Attachments []attachmentShape `json:"attachments"`
	Feedback    []feedbackShape   `json:"feedback"`
}

type attachmentShape struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
}

func (s *Service) httpEvent(ctx context.Context, in eventIn) (eventShape, error) {
	i, err := s.issueFor(ctx, in.ID, reading)
	if err != nil {
		return eventShape{}, err
	}
	row, err := s.pickEvent(ctx, i, in.Event)
	if err != nil {
		return eventShape{}, err
	}
	return s.shapeEvent(ctx, row)
}

// pickEvent finds an event by its id or by one of the words latest, first and recommended.
func (s *Service) pickEvent(ctx context.Context, i issueRow, which string) (eventRow, error) {
	r := s.rows()
	switch which {
	case "latest":
		return r.endEvent(ctx, i.ID, false)
	case "first":
		return r.endEvent(ctx, i.ID, true)
	case "recommended":
		return r.bestEvent(ctx, i.ID)
	}
	row, err := r.event(ctx, i.ProjectID, plainID(which))
	if err == nil && row.IssueID != i.ID {
		return row, problem.New(problem.NotFound, "Event %s belongs to another issue.", which)
	}
	return row, err
}

func (s *Service) shapeEvent(ctx context.Context, row eventRow) (eventShape, error) {
	e, err := unpackEvent(row.Body)
	if err != nil {
		return eventShape{}, err
	}
	out := eventShape{Issue: row.IssueID, Event: e, Tags: eventTags(&e), Attachments: []attachmentShape{}, Feedback: []feedbackShape{}}
	if out.Previous, out.Next, err = s.rows().neighbours(ctx, row); err != nil {
		return out, err
	}
	attachments, err := s.rows().attachments(ctx, row.ProjectID, row.EventID)
	if err != nil {
		return out, err
	}
	for _, a := range attachments {
		out.Attachments = append(out.Attachments, attachmentShape{a.ID, a.Name, a.Kind, a.ContentType, a.Size})
	}
	feedback, err := s.rows().feedback(ctx, row.IssueID, row.EventID, 20)
	for _, f := range feedback {
		out.Feedback = append(out.Feedback, shapeFeedback(f))
	}
	return out, err
}

type findEventIn struct {
	Team  string `form:"team" json:"-"`
	Event string `uri:"event" json:"-" form:"-"`
}

// httpFindEvent leads from an event id, as a client's log has it, to the event.
func (s *Service) httpFindEvent(ctx context.Context, in findEventIn) (eventShape, error) {
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return eventShape{}, err
	}
	list, err := s.rows().eventsByID(ctx, team.ID, plainID(in.Event))
	if err != nil {
		return eventShape{}, err
	}
	if len(list) == 0 {
		return eventShape{}, problem.New(problem.NotFound, "No event %.40s is kept in this team.", in.Event)
	}
	row, err := s.rows().event(ctx, list[0].ProjectID, list[0].EventID)
	if err != nil {
		return eventShape{}, err
	}
	return s.shapeEvent(ctx, row)
}

type feedbackShape struct {
	ID      int64      `json:"id"`
	EventID string     `json:"event_id"`
	Name    string     `json:"name"`
	Email   string     `json:"email"`
	Message string     `json:"message"`
	URL     string     `json:"url"`
	At      api.Millis `json:"at"`
}

type feedbackList struct {
	Feedback []feedbackShape `json:"feedback"`
}

func shapeFeedback(f feedbackRow) feedbackShape {
	return feedbackShape{f.ID, f.EventID, f.Name, f.Email, f.Message, f.URL, api.Millis(f.CreatedAt)}
}

func (s *Service) httpFeedback(ctx context.Context, in byIssue) (feedbackList, error) {
	out := feedbackList{Feedback: []feedbackShape{}}
	if _, err := s.issueFor(ctx, in.ID, reading); err != nil {
		return out, err
	}
	list, err := s.rows().feedback(ctx, in.ID, "", 200)
	for _, f := range list {
		out.Feedback = append(out.Feedback, shapeFeedback(f))
	}
	return out, err
}

// httpAttachment streams a file that a client sent. It takes the raw context
// because it is no JSON; what strangers sent is never shown as a page.
func (s *Service) httpAttachment(c *gin.Context) {
	if err := s.sendAttachment(c); err != nil {
		api.WriteProblem(c, err)
	}
}

func (s *Service) sendAttachment(c *gin.Context) error {
	ctx := c.Request.Context()
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return problem.New(problem.NotFound, "There is no such attachment.")
	}
	a, err := s.rows().attachment(ctx, id)
	if err != nil {
		return err
	}
	if err := identity.Require(ctx, a.TeamID, reading); err != nil {
		return err
	}
	content, ref, err := s.Blobs.Open(ctx, a.TeamID, a.SHA256)
	if err != nil {
		return err
	}
	defer content.Close()
	c.Header("Content-Type", "application/octet-stream")
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	c.Header("Content-Security-Policy", "sandbox")
	c.Header("Content-Length", strconv.FormatInt(ref.Size, 10))
	_, err = io.Copy(c.Writer, content)
	if err != nil {
		s.Log.InfoContext(ctx, "sending an attachment ended early", "error", err, "attachment", id)
	}
	return nil
}

type groupingShape struct {
	// Hashes lead new events here; each can be given an issue of its own.
	Hashes []hashShape `json:"hashes"`
	// Why explains how the latest event came here, step by step.
	Why []grouping.Reason `json:"why"`
	// Event is the event that is explained.
	Event string `json:"event"`
}

type hashShape struct {
	Hash      string     `json:"hash"`
	Kind      string     `json:"kind"`
	CreatedAt api.Millis `json:"created_at"`
}

func (s *Service) httpGrouping(ctx context.Context, in byIssue) (groupingShape, error) {
	out := groupingShape{Hashes: []hashShape{}, Why: []grouping.Reason{}}
	i, err := s.issueFor(ctx, in.ID, reading)
	if err != nil {
		return out, err
	}
	hashes, err := s.rows().hashesOf(ctx, i.ID)
	if err != nil {
		return out, err
	}
	for _, h := range hashes {
		out.Hashes = append(out.Hashes, hashShape{h.Hash, h.Kind, api.Millis(h.CreatedAt)})
	}
	row, err := s.rows().endEvent(ctx, i.ID, false)
	if problem.Is(err, problem.NotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	e, err := unpackEvent(row.Body)
	if err != nil {
		return out, err
	}
	out.Event = row.EventID
	why, err := s.explain(ctx, row, e)
	if err != nil {
		return out, err
	}
	if why != nil {
		out.Why = why
	}
	return out, nil
}

type transactionsIn struct {
	ID   int64 `uri:"id" json:"-" form:"-"`
	Days int   `form:"days" json:"-"`
}

type transactionShape struct {
	Name    string `json:"name"`
	Op      string `json:"op"`
	Count   int64  `json:"count"`
	Failed  int64  `json:"failed"`
	Average int64  `json:"average_ms"`
	Longest int64  `json:"longest_ms"`
	// LastSeen and Release are of its last one.
	LastSeen api.Millis `json:"last_seen"`
	Release  string     `json:"release"`
}

type transactionList struct {
	Transactions []transactionShape `json:"transactions"`
}

// httpTransactions sums what was timed, most time first.
func (s *Service) httpTransactions(ctx context.Context, in transactionsIn) (transactionList, error) {
	out := transactionList{Transactions: []transactionShape{}}
	p, err := s.ReadableProject(ctx, in.ID)
	if err != nil {
		return out, err
	}
	days := int64(min(max(cmp.Or(in.Days, 7), 1), 90))
	list, err := s.rows().listTimings(ctx, p.ID, s.Now().Unix()/86400-days+1, 100)
	for _, t := range list {
		out.Transactions = append(out.Transactions, transactionShape{t.Name, t.Op, t.Count, t.Failed, t.Duration / max(t.Count, 1), t.Longest, api.Millis(t.LastSeen), t.Release})
	}
	return out, err
}
