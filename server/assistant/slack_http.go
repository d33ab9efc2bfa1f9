package assistant

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// slackPath is where Slack posts events, buttons and commands.
	slackPath = "/hooks/slack"
	// maxSlackBody bounds what it posts, in bytes.
	maxSlackBody = 1 << 20
	// ackWithin is how long Slack waits; what could not be written down by then comes again.
	ackWithin = 2500 * time.Millisecond
)

// Routes registers what the assistant answers for Slack.
func (s *Slack) Routes(r api.Router) {
	r.POST(slackPath, api.Foreign("Slack signs each request with the app's secret"), s.receive)
	g := r.Group("/api/v1/assistant/slack")
	g.GET("", api.Admin(), api.Handle(func(ctx context.Context, _ struct{}) (SlackState, error) { return s.State(ctx) }))
	g.PUT("", api.Admin(), api.Handle(s.SetUp))
	g.DELETE("", api.Admin(), api.Handle(func(ctx context.Context, _ struct{}) (api.Nothing, error) { return api.Nothing{}, s.Remove(ctx) }))
	g.POST("/check", api.Admin(), api.Handle(s.httpCheck))
	g.GET("/manifest", api.Admin(), api.Handle(s.httpManifest))
	s.linkRoutes(g)
	s.digestRoutes(g)
}

// receive takes what Slack posts; the raw bytes are needed, as they are what is signed.
func (s *Slack) receive(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), ackWithin)
	defer cancel()
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxSlackBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		api.WriteProblem(c, problem.New(problem.TooLarge, "The body is larger than %d MB.", maxSlackBody>>20))
		return
	case err != nil:
		api.WriteProblem(c, problem.Wrap(err, problem.Invalid, "The body could not be read to its end."))
		return
	}
	l, err := s.linked(ctx)
	if err == nil && l.settings.Mode != modeHTTP {
		err = errNoSlack
	}
	if errors.Is(err, errNoSlack) {
		err = problem.New(problem.NotFound, "Nothing is set up here.")
	}
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	if err := slack.Verify(l.secret, c.Request.Header, body, s.Now()); err != nil {
		api.WriteProblem(c, problem.Wrap(err, problem.Unauthorized, "The signature is missing, wrong or old."))
		return
	}
	in, err := slack.ReadBody(body)
	if err != nil {
		s.Log.Warn("Slack sent what cannot be read", "error", err)
		c.Header("X-Slack-No-Retry", "1")
		api.WriteProblem(c, problem.Wrap(err, problem.Invalid, "This is nothing that Slack sends."))
		return
	}
	if in.Kind == slack.Challenge {
		c.JSON(http.StatusOK, gin.H{"challenge": in.Challenge})
		return
	}
	answer, err := s.take(ctx, l, in)
	switch {
	case err != nil:
		api.WriteProblem(c, problem.Wrap(err, problem.Unavailable, "It could not be written down; send it again."))
	case answer != nil:
		c.Data(http.StatusOK, "application/json; charset=utf-8", answer.Payload())
	default:
		c.Status(http.StatusOK)
		c.Writer.WriteHeaderNow()
	}
}

type findings struct {
	Items []Finding `json:"items"`
}

func (s *Slack) httpCheck(ctx context.Context, _ struct{}) (findings, error) {
	list, err := s.Check(ctx)
	return findings{list}, err
}

type manifestIn struct {
	Mode string `form:"mode" json:"-"`
}

type manifestOut struct {
	Manifest string `json:"manifest"`
}

func (s *Slack) httpManifest(_ context.Context, in manifestIn) (manifestOut, error) {
	address := ""
	if in.Mode == modeHTTP {
		address = strings.TrimRight(s.PublicURL, "/") + slackPath
	}
	return manifestOut{slack.Manifest("Signalbox", address)}, nil
}
