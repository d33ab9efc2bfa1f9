package github

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/telemetry"
)

// IntakeRoutes registers the address GitHub posts to, at the root.
func (s *Service) IntakeRoutes(r api.Router) {
	r.POST("/hooks/github/:hook", api.Foreign("signed with the hook's secret: HMAC over the body"), s.receive)
	s.reachRoutes(r)
}

type receipt struct {
	Status string `json:"status"`
	ID     string `json:"id"`
}

// receive takes the raw context because the signature is over the raw body.
func (s *Service) receive(c *gin.Context) {
	status, answer, err := s.take(c)
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	body, _ := json.Marshal(answer) // strings only: cannot fail
	c.Data(status, "application/json", body)
}

func (s *Service) take(c *gin.Context) (int, receipt, error) {
	ctx, now := c.Request.Context(), s.Now()
	id := c.Param("hook")
	if !validID.MatchString(id) {
		return 0, receipt{}, problem.New(problem.NotFound, "There is no such hook.")
	}
	hook, err := s.openHook(ctx, id)
	if err != nil {
		return 0, receipt{}, err
	}
	body, release, err := s.readBody(ctx, c)
	if err != nil {
		return 0, receipt{}, err
	}
	defer release()
	if !hook.signed(c.GetHeader("X-Hub-Signature-256"), body, now) {
		why := "The signature does not match the hook's secret."
		if c.GetHeader("X-Hub-Signature-256") == "" {
			why = "The request is not signed. Enter the hook's secret at GitHub."
		}
		s.refusals.note(hook.refused(c.Request.Header, c.ClientIP(), int64(len(body)), now, why))
		return 0, receipt{}, problem.New(problem.Unauthorized, "%s", why)
	}
	row, err := hook.read(c.Request.Header, c.ClientIP(), body, now)
	if err != nil {
		s.refusals.note(hook.refused(c.Request.Header, c.ClientIP(), int64(len(body)), now, problem.From(err).Detail))
		return 0, receipt{}, err
	}
	stored, duplicate, err := s.keep(ctx, row)
	telemetry.Note(ctx, telemetry.Attribute{Name: "signalbox.delivery.id", Text: stored}, telemetry.Attribute{Name: "signalbox.delivery.event", Text: row.Event})
	telemetry.Keep(ctx, "delivery", stored)
	switch {
	case err != nil:
		return 0, receipt{}, err
	case duplicate:
		return http.StatusAccepted, receipt{"duplicate", stored}, nil
	case row.Event == "ping":
		return http.StatusOK, receipt{"pong", stored}, nil
	}
	return http.StatusAccepted, receipt{"accepted", stored}, nil
}

// memoryPatience is how long a body waits for room; GitHub waits ten seconds for us.
const memoryPatience = 3 * time.Second

// readBody reads the whole body within the memory that all bodies share; release gives it back.
func (s *Service) readBody(ctx context.Context, c *gin.Context) (body []byte, release func(), err error) {
	size := c.Request.ContentLength
	if size > maxBody {
		return nil, nil, problem.New(problem.TooLarge, "The body is larger than %d MB.", maxBody>>20)
	}
	room := size + 1
	if size < 0 { // not announced: it may be anything up to the cap
		room = maxBody
	}
	wait, cancel := context.WithTimeout(ctx, memoryPatience)
	defer cancel()
	if err := s.memory.Acquire(wait, room); err != nil {
		return nil, nil, busy()
	}
	release = func() { s.memory.Release(room) }
	body, err = io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		err = problem.New(problem.TooLarge, "The body is larger than %d MB.", maxBody>>20)
	case err != nil:
		err = problem.Wrap(err, problem.Invalid, "The body could not be read to its end.")
	case size >= 0 && int64(len(body)) != size:
		err = problem.New(problem.Invalid, "The body is shorter than announced.")
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return body, release, nil
}

func busy() error {
	p := problem.New(problem.Unavailable, "Too much is arriving at once. Send it again.")
	p.RetryAfter = 5
	return p
}
