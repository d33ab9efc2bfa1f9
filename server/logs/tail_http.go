package logs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

const (
	// heartbeat keeps proxies from ending a quiet stream.
	heartbeat = 15 * time.Second
	// tailEvery gathers lines, so that a browser redraws a few times each second.
	tailEvery = 200 * time.Millisecond
	// tailLines is what one event carries at most; more is a sample.
	tailLines = 200
	// tailWrite is how long a reader may take for one event.
	tailWrite = 10 * time.Second
)

func (s *Service) tailRoutes(r api.Router) {
	r.GET("/tail", api.Scoped("logs", identity.Read), s.tail)
}

// tailed is one event of a live tail.
type tailed struct {
	Lines []Line `json:"lines"`
	// Dropped matching lines are not among them: the reader was too slow, or
	// there were more than an event carries.
	Dropped int64 `json:"dropped,omitempty"`
	// Missed lines were not looked at, as more came in than could be.
	Missed int64 `json:"missed,omitempty"`
}

// tail streams matching lines as they come in: "lines" events. It takes the
// raw context because the answer is a stream.
func (s *Service) tail(c *gin.Context) {
	ctx := c.Request.Context()
	q, err := s.ask(ctx, Search{Team: c.Query("team"), Query: c.Query("query")})
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	// Streams may come that have labels which no stream has now.
	t := s.Store.Tail(ctx, q.Team, query.NewPlan(q.query, nil))
	defer t.Close()
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	stream := query.NewStream(q.query)
	out := eventWriter{c: c}
	if !out.write(": open\n\n") {
		return
	}
	for ctx.Err() == nil {
		quiet, cancel := context.WithTimeout(ctx, heartbeat)
		caught, err := t.Next(quiet)
		cancel()
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, context.DeadlineExceeded) {
			if !out.write(": still here\n\n") {
				return
			}
			continue
		}
		if err != nil {
			return
		}
		event := tailed{Lines: []Line{}, Dropped: caught.Dropped, Missed: caught.Missed}
		for i := range caught.Rows {
			if len(event.Lines) >= tailLines {
				event.Dropped++
			} else if v := stream.Apply(&caught.Rows[i].Record); v != nil {
				event.Lines = append(event.Lines, lineOf(&caught.Rows[i]))
			}
		}
		data, err := json.Marshal(event)
		if err != nil || !out.write(fmt.Sprintf("event: lines\ndata: %s\n\n", data)) {
			return
		}
		pause(ctx, tailEvery)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// eventWriter writes and flushes; a reader that does not read is given up.
type eventWriter struct{ c *gin.Context }

func (w eventWriter) write(text string) bool {
	control := http.NewResponseController(w.c.Writer)
	// Writers that know no deadline end with their connection.
	_ = control.SetWriteDeadline(time.Now().Add(tailWrite))
	if _, err := w.c.Writer.WriteString(text); err != nil {
		return false
	}
	return control.Flush() == nil
}
