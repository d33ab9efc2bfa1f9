package logs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/wire/journald"
	"github.com/signalbox/signalbox/server/platform/content"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// endless is a limit that no stream reaches.
const endless = 1 << 62

// receiveJournal takes what systemd-journal-upload sends: a request that, with
// --follow, goes on for as long as the machine runs. So it is kept as it comes,
// and its size is not bounded; what is held of it at a time is.
func (s *Service) receiveJournal(c *gin.Context, team identity.Team) error {
	body, err := content.Decode(c.Request.Body, c.GetHeader("Content-Encoding"), endless)
	if err != nil {
		return unreadable(err)
	}
	in := journald.NewReader(body, maxLine)
	connection := http.NewResponseController(c.Writer)
	without := 0
	g := gathering{
		next: func() (record.Record, error) {
			for {
				r, err := in.Next()
				if !errors.Is(err, journald.ErrNoMessage) {
					return r, err
				}
				without++
			}
		},
		keep: func(ctx context.Context, records []record.Record) error {
			return s.Accept(ctx, Batch{Team: team.ID, Source: "journald", Records: records})
		},
		// A reader that waits for the next line is woken by a time that has passed.
		interrupt: func() { _ = connection.SetReadDeadline(time.Unix(1, 0)) }, // nothing to be done where it cannot be set
	}
	err, failed := g.run(c.Request.Context())
	if failed == nil && without > 0 {
		failed = s.Accept(c.Request.Context(), Batch{Team: team.ID, Source: "journald", Rejected: map[string]int{journald.ErrNoMessage.Error(): without}})
	}
	switch {
	case failed != nil:
		c.Header("Connection", "close") // what was interrupted must not carry another request
		return failed
	case err == io.EOF:
		c.String(http.StatusAccepted, "OK.\n")
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem.Wrap(err, problem.Invalid, "The journal ends in the middle of an entry; send the rest of it again.")
	case errors.Is(err, journald.ErrMalformed):
		return problem.Wrap(err, problem.Invalid, "%s.", sentence(err))
	}
	return unreadable(err)
}
