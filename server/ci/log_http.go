package ci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	maxLines = 5000
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
)

func (s *Service) logRoutes(r api.Router) {
	r.GET("/builds/:id/log", exposable(), s.fromHome(s.httpLog))
	r.GET("/builds/:id/log/search", exposable(), s.fromHome(api.Handle(s.httpLogSearch)))
	r.GET("/builds/:id/log/raw", exposable(), s.fromHome(s.httpLogRaw))
}

type logLine struct {
	N       int64     `json:"n"`
	T       time.Time `json:"t"`
	Step    string    `json:"step"`
	Stream  string    `json:"stream"`
	Text    string    `json:"text"`
	Partial bool      `json:"partial,omitempty"`
}

type logSection struct {
	Step      string `json:"step"`
	LineFirst int64  `json:"line_first"`
	LineLast  int64  `json:"line_last"`
}

type logPage struct {
	Lines []logLine `json:"lines"`
	Total int64     `json:"total"`
	Ended bool      `json:"ended"`
	// Reaped says in words that the log is no more, "" while it is.
	Reaped   string       `json:"reaped,omitempty"`
	Sections []logSection `json:"sections"`
}

type logIn struct {
	ID     int64 `uri:"id" json:"-"`
	From   int64 `form:"from" json:"-"`
	Limit  int   `form:"limit" json:"-"`
	Follow bool  `form:"follow" json:"-"`
}

// Validate bounds the page.
func (in *logIn) Validate() error {
	if in.From == 0 {
		in.From = 1
	}
	if in.Limit == 0 {
		in.Limit = 1000
	}
	if in.Limit < 1 || in.Limit > maxLines {
		return problem.FieldError("limit", "is not between 1 and %d", maxLines)
	}
	return nil
}

// httpLog answers with lines, or follows them: a stream needs the raw context.
func (s *Service) httpLog(c *gin.Context) {
	follow := c.Query("follow") == "1" || c.Query("follow") == "true" || strings.Contains(c.GetHeader("Accept"), "text/event-stream")
	if !follow {
		api.Handle(s.httpLogPage)(c)
		return
	}
	var in logIn
	if err := c.ShouldBindQuery(&in); err != nil {
		api.WriteProblem(c, problem.Wrap(err, problem.Invalid, "The query is not valid: %s.", err))
		return
	}
	if err := c.ShouldBindUri(&in); err != nil {
		api.WriteProblem(c, problem.Wrap(err, problem.NotFound, "There is nothing at this address."))
		return
	}
	err := in.Validate()
	if err == nil {
		err = s.followLog(c, in)
	}
	if err != nil {
		api.WriteProblem(c, err)
	}
}

func (s *Service) httpLogPage(ctx context.Context, in logIn) (logPage, error) {
	b, err := s.openBuild(ctx, in.ID)
	if err != nil {
		return logPage{}, err
	}
	var out logPage
	err = s.withLog(b.ID, func(l *buildlog.Log) error {
		out, err = pageOfLog(l, in.From, in.Limit, b.Status.Ended())
		return err
	})
	if b.ReapedAt != 0 {
		out.Reaped = reapedSentence(b)
	}
	return out, err
}

// pageOfLog reads from a line on; a negative one counts from the end.
func pageOfLog(l *buildlog.Log, from int64, limit int, ended bool) (logPage, error) {
	total := l.Stats().Lines
	if from < 0 {
		from = max(total+from+1, 1)
	}
	lines, err := l.Lines(from, limit)
	out := logPage{Lines: make([]logLine, 0, len(lines)), Total: total, Ended: ended, Sections: []logSection{}}
	for _, line := range lines {
		out.Lines = append(out.Lines, logLine{line.N, line.Time, line.Origin, line.Source, line.Text, line.Partial})
	}
	for _, section := range l.Sections() {
		if section.Origin != "" && section.First > 0 {
			out.Sections = append(out.Sections, logSection{section.Origin, section.First, section.Last})
		}
	}
	return out, err
}

// followLog sends pages of lines as they come: "lines" events with a page as
// data, whose id is the last line's number, and "end" once the build has ended.
func (s *Service) followLog(c *gin.Context, in logIn) error {
	ctx := c.Request.Context()
	b, err := s.openBuild(ctx, in.ID)
	if err != nil {
		return err
	}
	if last := c.GetHeader("Last-Event-ID"); last != "" {
		if _, err := fmt.Sscanf(last, "%d", &in.From); err != nil {
			return problem.New(problem.Invalid, "Last-Event-ID is not a number.")
		}
		in.From++
	}
	return s.withLog(b.ID, func(l *buildlog.Log) error {
		h := c.Writer.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		c.Status(http.StatusOK)
		if in.From < 0 {
			in.From = max(l.Stats().Lines+in.From+1, 1)
		}
		f := logFollower{service: s, c: c, log: l, build: b, next: in.From}
		f.run(ctx)
		return nil
	})
}

type logFollower struct {
	service *Service
	c       *gin.Context
	log     *buildlog.Log
	build   buildRow
	next    int64
	ended   bool
}

func (f *logFollower) run(ctx context.Context) {
	// Taken before sending, so that nothing which comes meanwhile is passed over.
	mark := f.log.Stats().Events
	f.ended = f.build.Status.Ended()
	if !f.send() {
		return
	}
	for !f.ended {
		quiet, cancel := context.WithTimeout(ctx, heartbeat)
		err := f.log.Follow(quiet, mark, func(events []buildlog.Event) error {
			mark += int64(len(events))
			for _, e := range events {
				f.ended = f.ended || isFinal(e)
			}
			if !f.send() {
				return context.Canceled
			}
			if f.ended {
				return buildlog.ErrStop
			}
			return nil
		})
		waited := quiet.Err() != nil
		cancel()
		if ctx.Err() != nil || err != nil && !waited {
			return
		}
		if waited && !f.ended {
			now, err := f.service.build(ctx, f.build.ID)
			f.ended = err != nil || now.Status.Ended()
			if !f.write(": still here\n\n") {
				return
			}
		}
	}
	if f.send() {
		f.write("event: end\ndata: {}\n\n")
	}
}

// send writes what there is from next on; false when the reader has gone.
func (f *logFollower) send() bool {
	for {
		page, err := pageOfLog(f.log, f.next, maxLines/5, f.ended)
		if err != nil {
			return false
		}
		if len(page.Lines) == 0 {
			return true
		}
		data, err := json.Marshal(page)
		if err != nil {
			return false
		}
		last := page.Lines[len(page.Lines)-1].N
		if !f.write(fmt.Sprintf("id: %d\nevent: lines\ndata: %s\n\n", last, bytes.TrimSpace(data))) {
			return false
		}
		f.next = last + 1
	}
}

func (f *logFollower) write(text string) bool {
	if _, err := f.c.Writer.WriteString(text); err != nil {
		return false
	}
	f.c.Writer.Flush()
	return f.c.Request.Context().Err() == nil
}

type searchIn struct {
	ID    int64  `uri:"id" json:"-"`
	Q     string `form:"q" json:"-"`
	Regex bool   `form:"regex" json:"-"`
	Case  bool   `form:"case" json:"-"`
	Step  string `form:"step" json:"-"`
	From  int64  `form:"from" json:"-"`
	Limit int    `form:"limit" json:"-"`
}

// Validate asks for something to find.
func (in *searchIn) Validate() error {
	if in.Q == "" {
		return problem.FieldError("q", "say what to find")
	}
	if in.Limit == 0 {
		in.Limit = 200
	}
	if in.Limit < 1 || in.Limit > 1000 {
		return problem.FieldError("limit", "is not between 1 and 1000")
	}
	return nil
}

type logMatch struct {
	N     int64    `json:"n"`
	Step  string   `json:"step"`
	Text  string   `json:"text"`
	Spans [][2]int `json:"spans"`
}

type logMatches struct {
	Matches []logMatch `json:"matches"`
	Total   int64      `json:"total"`
	More    bool       `json:"more"`
}

func (s *Service) httpLogSearch(ctx context.Context, in searchIn) (logMatches, error) {
	out := logMatches{Matches: []logMatch{}}
	b, err := s.openBuild(ctx, in.ID)
	if err == nil {
		err = s.atHome(ctx, b)
	}
	if err != nil {
		return out, err
	}
	err = s.withLog(b.ID, func(l *buildlog.Log) error {
		found, err := l.Search(ctx, buildlog.Query{Text: in.Q, Regex: in.Regex, CaseSensitive: in.Case, Origin: in.Step, From: in.From, Limit: in.Limit})
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "%s", err)
		}
		out.Total, out.More = found.Lines, found.Capped
		for _, m := range found.Listed {
			shown := logMatch{N: m.N, Step: m.Origin, Spans: m.Columns}
			lines, err := l.Lines(m.N, 1)
			if err != nil {
				return err
			}
			if len(lines) == 1 {
				shown.Text = lines[0].Text
			}
			out.Matches = append(out.Matches, shown)
		}
		return nil
	})
	return out, err
}

// httpLogRaw sends the whole log: too large for a typed answer.
func (s *Service) httpLogRaw(c *gin.Context) {
	var in byID
	if err := c.ShouldBindUri(&in); err != nil {
		api.WriteProblem(c, problem.New(problem.NotFound, "There is nothing at this address."))
		return
	}
	b, err := s.openBuild(c.Request.Context(), in.ID)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	if b.ReapedAt != 0 {
		api.WriteProblem(c, problem.New(problem.NotFound, "%s", reapedSentence(b)))
		return
	}
	c.Header("Content-Type", "text/plain; charset=utf-8")
	c.Header("Content-Disposition", fmt.Sprintf(`attachment; filename="build-%d.log"`, b.ID))
	c.Header("Cache-Control", "private, no-cache")
	err = s.withLog(b.ID, func(l *buildlog.Log) error { return l.Raw(c.Writer, true) })
	if err != nil && c.Request.Context().Err() == nil {
		s.deps.Log.WarnContext(c.Request.Context(), "sending a log broke off", "build", b.ID, "error", err)
	}
}
