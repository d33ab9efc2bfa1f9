package logs

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/query/logql"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// lokiFrame is one message of a tail.
type lokiFrame struct {
	Streams []*lokiStream `json:"streams"`
	Dropped []lokiDropped `json:"dropped_entries,omitempty"`
}

type lokiDropped struct {
	Labels    map[string]string `json:"labels"`
	Timestamp string            `json:"timestamp"`
}

// lokiTail follows lines over a WebSocket. What lies between start and now is
// sent first, as Loki does.
func (s *Service) lokiTail(c *gin.Context) {
	team, err := s.tenant(c, reading)
	var e *logql.Expr
	if err == nil {
		if e, err = logql.Parse(c.Query("query")); err == nil && e.Log == nil {
			err = problem.FieldError("query", "must select lines, not calculate a metric")
		}
	}
	var in lokiQuery
	if err == nil {
		in, err = s.lokiRead(c, team.ID)
	}
	if err == nil {
		in.start, in.end, err = s.lokiRange(c)
	}
	if err != nil {
		s.lokiRefuse(c, err)
		return
	}
	plan := query.NewPlan(e.Log, nil)
	t := s.Store.Tail(c.Request.Context(), team.ID, plan)
	defer t.Close()
	// A token is asked for, never a cookie alone, so the origin does not matter.
	conn, err := websocket.Accept(c.Writer, c.Request, &websocket.AcceptOptions{InsecureSkipVerify: c.GetHeader("Cookie") == ""})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(c.Request.Context())
	follower := lokiFollower{conn: conn, pipes: query.NewStream(e.Log)}
	if !follower.past(ctx, s.Store, store.Request{Team: team.ID, From: in.start, To: s.Now(), Match: plan, Newest: true, Limit: in.limit}) {
		return
	}
	for ctx.Err() == nil {
		quiet, cancel := context.WithTimeout(ctx, heartbeat)
		caught, err := t.Next(quiet)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, context.DeadlineExceeded):
			if conn.Ping(ctx) != nil {
				return
			}
		case err != nil || !follower.send(ctx, caught.Rows, caught.Dropped+caught.Missed):
			return
		}
		pause(ctx, tailEvery)
	}
}

type lokiFollower struct {
	conn  *websocket.Conn
	pipes *query.Stream
	// before are the lines sent from the past: the tail, which was begun first,
	// may bring them again.
	before map[store.ID]bool
	last   store.ID
}

func (f *lokiFollower) past(ctx context.Context, st lines, req store.Request) bool {
	rows, _, err := st.Search(ctx, req).List()
	if err != nil {
		return false
	}
	for i, j := 0, len(rows)-1; i < j; i, j = i+1, j-1 {
		rows[i], rows[j] = rows[j], rows[i]
	}
	if len(rows) > 0 && !f.send(ctx, rows, 0) {
		return false
	}
	f.before = make(map[store.ID]bool, len(rows))
	for i := range rows {
		f.before[rows[i].ID] = true
	}
	return true
}

func (f *lokiFollower) send(ctx context.Context, rows []store.Row, dropped int64) bool {
	streams := lokiStreams{}
	for i := range rows {
		if f.before[rows[i].ID] {
			continue
		}
		if v := f.pipes.Apply(&rows[i].Record); v != nil {
			streams.add(v)
		}
		f.last = rows[i].ID
	}
	frame := lokiFrame{Streams: streams.list()}
	if dropped > 0 {
		frame.Dropped = append(frame.Dropped, lokiDropped{map[string]string{}, strconv.FormatInt(f.last.Time, 10)})
	}
	if len(frame.Streams) == 0 && dropped == 0 {
		return true
	}
	data, err := json.Marshal(frame)
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, tailWrite)
	defer cancel()
	return f.conn.Write(ctx, websocket.MessageText, data) == nil
}
