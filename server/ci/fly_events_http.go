package ci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// endNet is how often a stream that has nothing to send looks whether its build
// has ended without a last event: its log was lost or cannot be written.
const endNet = 5 * time.Second

// events streams what happened in a build as server-sent events, from after
// Last-Event-ID. Past the last event it sends "end" and, as Concourse does,
// keeps the connection open until the client leaves.
func (f fly) events(c *gin.Context) error {
	b, err := f.numbered(c, f.openBuild)
	if err != nil {
		return err
	}
	if sent, err := f.sendHome(c, b.Node, "The log of this build"); sent {
		return err
	}
	from := int64(0)
	if last := c.GetHeader("Last-Event-ID"); last != "" {
		n, err := strconv.ParseUint(last, 10, 62)
		if err != nil {
			return problem.New(problem.Invalid, "Last-Event-ID is not a number")
		}
		from = int64(n) + 1
	}
	l, err := f.deps.Logs.Open(b.ID)
	if err != nil {
		return err
	}
	defer l.Close()
	said, err := reapedEvents(b)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-ATC-Stream-Version", "2.0")
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
	c.Writer.Flush()
	if b.ReapedAt == 0 {
		f.stream(c, l, b, from)
		return nil
	}
	if _, err := c.Writer.WriteString(said); err == nil {
		c.Writer.Flush()
		<-c.Request.Context().Done()
	}
	return nil
}

// reapedEvents stand for the log of a build that has none any more: a sentence,
// and the status that ends `fly watch` with the right code.
func reapedEvents(b buildRow) (string, error) {
	var out bytes.Buffer
	for i, ev := range []event.Event{event.Log{Time: b.ReapedAt.Seconds(), Payload: reapedSentence(b) + "\n"},
		event.Status{Status: string(b.Status), Time: b.EndedAt.Seconds()}} {
		sealed, err := event.Seal(ev)
		if err != nil {
			return "", err
		}
		sealed.ID = strconv.Itoa(i)
		data, err := json.Marshal(sealed)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "id: %d\nevent: event\ndata: %s\n\n", i, data)
	}
	out.WriteString("id: 2\nevent: end\ndata\n\n")
	return out.String(), nil
}

func (f fly) stream(c *gin.Context, l *buildlog.Log, b buildRow, from int64) {
	ctx, cancel := context.WithCancel(c.Request.Context())
	defer cancel()
	var next atomic.Int64
	next.Store(from)
	ended := false
	watch := f.watchEnd(ctx, cancel, b, l, &next)
	err := l.Follow(ctx, from, func(events []buildlog.Event) error {
		var out bytes.Buffer
		for _, e := range events {
			next.Store(e.ID + 1)
			writeFrame(&out, e)
			ended = ended || isFinal(e)
		}
		if _, err := c.Writer.Write(out.Bytes()); err != nil {
			return err
		}
		c.Writer.Flush()
		if ended {
			return buildlog.ErrStop
		}
		return nil
	})
	cancel()
	lost := <-watch
	if err != nil && !lost {
		return // the client left, or the log cannot be read
	}
	if _, err := fmt.Fprintf(c.Writer, "id: %d\nevent: end\ndata\n\n", next.Load()); err != nil {
		return
	}
	c.Writer.Flush()
	<-c.Request.Context().Done()
}

// watchEnd cancels a stream whose build has ended while its log has no last
// event: builds of before a restore, or with a full disk.
func (f fly) watchEnd(ctx context.Context, cancel func(), b buildRow, l *buildlog.Log, next *atomic.Int64) <-chan bool {
	out := make(chan bool, 1)
	go func() {
		ticker := time.NewTicker(endNet)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				out <- false
				return
			case <-ticker.C:
			}
			now, err := f.build(ctx, b.ID)
			if problem.Is(err, problem.NotFound) || err == nil && now.Status.Ended() && f.now().Sub(now.EndedAt.Time()) > endNet && next.Load() >= l.Stats().Events {
				cancel()
				out <- true
				return
			}
		}
	}()
	return out
}

// isFinal reports whether an event is the last status of its build.
func isFinal(e buildlog.Event) bool {
	if e.Kind != string(event.NameStatus) {
		return false
	}
	var said event.Status
	return json.Unmarshal(e.Data, &said) == nil && Status(said.Status).Ended()
}

// writeFrame writes one event. Kinds that fly does not know would end it with an
// error, so they are sent to nobody here.
func writeFrame(out *bytes.Buffer, e buildlog.Event) {
	envelope := event.Envelope{Event: event.Name(e.Kind), Version: event.Version(e.Version), Data: e.Data, ID: strconv.FormatInt(e.ID, 10)}
	if e.Kind == buildlog.KindLog {
		sealed, err := event.Seal(event.Log{Time: e.Time.Unix(), Origin: event.Origin{ID: e.Origin, Source: event.Source(e.Source)}, Payload: e.Payload})
		if err != nil {
			return
		}
		envelope.Event, envelope.Version, envelope.Data = sealed.Event, sealed.Version, sealed.Data
	}
	if !event.Known(envelope.Event) {
		return
	}
	data, err := json.Marshal(envelope)
	if err != nil {
		return
	}
	fmt.Fprintf(out, "id: %d\nevent: event\ndata: %s\n\n", e.ID, data)
}
