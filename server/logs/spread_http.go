package logs

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/cluster"
)

const (
	// linesRoute is where other servers ask for this one's lines.
	linesRoute = "/cluster/v1/logs"
	// rowsAtOnce is how many lines one part of an answer has.
	rowsAtOnce = 500
)

func (s *Service) spreadRoutes(r api.Router) {
	if s.Cluster != nil {
		r.POST(linesRoute, api.Foreign("servers of one installation prove that they have its key"), s.httpLines)
	}
}

// askLines asks another server and hands on the parts of its answer until take says
// that it is enough.
func (s *Service) askLines(ctx context.Context, m cluster.Member, call lineCall, take func(lineAnswer) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body, err := s.Cluster.Call(ctx, m, linesRoute, call)
	if err != nil {
		return err
	}
	defer body.Close()
	in := gob.NewDecoder(body)
	for {
		var part lineAnswer
		if err := in.Decode(&part); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // an answer says when it is over
			}
			return fmt.Errorf("read what %s answers: %w", m.Title(), err)
		}
		if part.Error != "" {
			return fmt.Errorf("%s: %s", m.Title(), part.Error)
		}
		if !take(part) || part.Stats != nil {
			return nil
		}
	}
}

// readLines is askLines for searches: it gives what the search cost there.
func (s *Service) readLines(ctx context.Context, m cluster.Member, call lineCall, take func(lineAnswer) bool) (stats store.Stats, err error) {
	err = s.askLines(ctx, m, call, func(part lineAnswer) bool {
		if part.Stats != nil {
			stats = *part.Stats
		}
		return take(part)
	})
	return stats, err
}

// httpLines answers another server. It takes the raw context because the answer may be
// long, or never end.
func (s *Service) httpLines(c *gin.Context) {
	body, err := s.Cluster.Admit(c.Request)
	if err != nil {
		c.String(http.StatusForbidden, err.Error())
		return
	}
	ctx := c.Request.Context()
	c.Header("Content-Type", "application/octet-stream")
	c.Status(http.StatusOK)
	out := gob.NewEncoder(c.Writer)
	stats, err := s.answerLines(ctx, body, func(part lineAnswer) error {
		err := out.Encode(part)
		c.Writer.Flush()
		return err
	})
	last := lineAnswer{Stats: &stats}
	if err != nil {
		last = lineAnswer{Error: err.Error()}
	}
	if err := out.Encode(last); err != nil && ctx.Err() == nil {
		s.Log.DebugContext(ctx, "answering another server broke off", "error", err)
	}
}

// answerLines answers from this server's own lines.
func (s *Service) answerLines(ctx context.Context, body []byte, send func(lineAnswer) error) (stats store.Stats, err error) {
	var in lineCall
	if err := json.Unmarshal(body, &in); err != nil {
		return stats, err
	}
	own, req := s.Store.Store, in.Request
	if in.Filter != nil {
		filter, err := query.UnmarshalExpr(in.Filter)
		if err != nil {
			return stats, err
		}
		names, err := own.Labels(ctx, store.Request{Team: req.Team, From: req.From, To: req.To})
		if err != nil {
			return stats, err
		}
		req.Match = planOver(&query.Query{Filter: filter}, names)
	}
	var out lineAnswer
	switch in.What {
	case askRows:
		return s.sendRows(ctx, req, send)
	case askTail:
		return stats, s.sendTail(ctx, req, send)
	case askHistogram:
		out.Buckets, stats, err = own.Histogram(ctx, req, in.Step)
	case askFields:
		out.Fields, stats, err = own.Fields(ctx, req)
	case askFacets:
		out.Facets, stats, err = own.Facets(ctx, req, in.Names, min(in.Top, facetValues))
	case askStreams:
		out.Streams, stats, err = own.Streams(ctx, req)
	case askLabels:
		out.Texts, err = own.Labels(ctx, req)
	case askValues:
		for _, name := range in.Names {
			out.Texts, err = own.Values(ctx, req, name)
		}
	case askSizes:
		out.Days, out.Damage = own.Sizes(req.Team), own.Damaged()
		out.Sizes, err = own.StreamSizes(ctx, req.Team, req.From)
	default:
		err = fmt.Errorf("this server does not know the question %.40q", in.What)
	}
	if err != nil {
		return stats, err
	}
	return stats, send(out)
}

func (s *Service) sendRows(ctx context.Context, req store.Request, send func(lineAnswer) error) (store.Stats, error) {
	found := s.Store.Store.Search(ctx, req)
	var part lineAnswer
	var failed error
	for row := range found.All() {
		if part.Rows = append(part.Rows, row); len(part.Rows) < rowsAtOnce {
			continue
		}
		if failed = send(part); failed != nil {
			break
		}
		part.Rows = nil
	}
	if failed == nil && len(part.Rows) > 0 {
		failed = send(part)
	}
	return found.Stats(), errors.Join(failed, found.Err())
}

func (s *Service) sendTail(ctx context.Context, req store.Request, send func(lineAnswer) error) error {
	t := s.Store.Store.Tail(req.Team, req.Match)
	defer t.Close()
	if err := send(lineAnswer{}); err != nil {
		return err
	}
	for {
		caught, err := t.Next(ctx)
		if err == nil {
			err = send(lineAnswer{Caught: &caught})
		}
		if err != nil {
			return err
		}
	}
}
