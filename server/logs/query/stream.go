package query

import "github.com/signalbox/signalbox/server/logs/record"

// Stream takes records one by one through pipes that neither gather nor order;
// it is used by one goroutine.
type Stream struct {
	first step
	got   capture
}

type capture struct{ view *View }

func (c *capture) add(v *View) bool { c.view = v; return true }
func (c *capture) flush()           {}

// NewStream prepares the pipes of a query.
func NewStream(q *Query) *Stream {
	s := &Stream{}
	r := &Run{}
	var next step = &s.got
	for i := len(q.Pipes) - 1; i >= 0; i-- {
		next = r.step(q.Pipes[i], next, DefaultLimits())
	}
	s.first = next
	return s
}

// Apply is the record as it comes out of the pipes; nil if it does not.
func (s *Stream) Apply(r *record.Record) *View {
	s.got.view = nil
	s.first.add(&View{Record: r})
	return s.got.view
}
