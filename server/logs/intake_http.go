package logs

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/wire/jsonlines"
	"github.com/signalbox/signalbox/server/logs/wire/loki"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/content"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxBatch is how many lines one request may hold.
	maxBatch = 200_000
	// maxLine is how long one line may be, in bytes.
	maxLine = 1 << 20
)

// intakeRoutes are the addresses that shippers send to.
func (s *Service) intakeRoutes(r api.Router) {
	token := api.Foreign("a token with logs:write, as bearer, as password of basic authorization or in X-API-Key")
	for _, path := range []string{"/loki/api/v1/push", "/api/prom/push"} {
		r.POST(path, token, s.receiving("loki", textRefusal, s.receiveLoki))
	}
	s.elasticRoutes(r)
	s.otlpRoutes(r, token)
	r.POST("/insert/journald/upload", token, s.receiving("journald", textRefusal, s.receiveJournal))
	for _, path := range []string{"/insert/jsonline", "/insert/jsonlines"} {
		r.POST(path, token, s.receiving("jsonline", api.WriteProblem, s.receiveJSONLines))
		r.PUT(path, token, s.receiving("jsonline", api.WriteProblem, s.receiveJSONLines))
	}
}

// receiving makes a handler of an endpoint: who it is, then the endpoint, and
// errors as the protocol wants them. What a shipper will not send again is counted
// with its source. It takes the raw context because bodies
// come in many encodings and are read as streams.
func (s *Service) receiving(source string, refuse func(*gin.Context, error), endpoint func(*gin.Context, identity.Team) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		team, err := s.tenant(c, writing)
		if err == nil {
			err = endpoint(c, team)
		}
		if err == nil {
			return
		}
		p := problem.From(err)
		if team.ID != 0 && (p.Kind == problem.Invalid || p.Kind == problem.TooLarge || p.Kind == problem.TooMany) {
			s.sources.reject(team.ID, source, map[string]int{"a request was refused: " + p.Detail: 1}, s.Now())
		}
		if p.Kind == problem.Internal {
			s.Log.Error("taking log lines failed", "path", c.FullPath(), "error", err)
		} else if p.RetryAfter > 0 {
			c.Header("Retry-After", strconv.Itoa(p.RetryAfter))
		}
		refuse(c, err)
	}
}

// textRefusal is Loki's way: the status and a sentence.
func textRefusal(c *gin.Context, err error) {
	p := problem.From(err)
	if p.Kind == problem.Unauthorized {
		c.Header("WWW-Authenticate", `Basic realm="signalbox"`)
	}
	c.String(p.Status(), "%s\n", p.Detail)
}

// body is the request's body, decompressed and bounded.
func (s *Service) body(c *gin.Context) (io.Reader, error) {
	encoding := c.GetHeader("Content-Encoding")
	if strings.EqualFold(encoding, "snappy") {
		encoding = "" // Loki's protobuf is a snappy block, which its decoder reads
	}
	r, err := content.Decode(http.MaxBytesReader(c.Writer, c.Request.Body, s.MaxBody), encoding, s.MaxDecoded)
	return r, unreadable(err)
}

// unreadable words what was wrong with a body.
func unreadable(err error) error {
	var malformed *content.MalformedError
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, content.ErrTooLarge), errors.As(err, &large):
		return problem.Wrap(err, problem.TooLarge, "The request is larger than allowed; send smaller batches, or raise logs.max_request_mb and logs.max_decoded_mb.")
	case errors.As(err, &malformed):
		return problem.Wrap(err, problem.Invalid, "The body cannot be read: %s.", malformed.Reason)
	}
	return problem.Wrap(err, problem.Invalid, "The body cannot be read: %v.", err)
}

// whole reads a body into memory, which all requests share.
func (s *Service) whole(c *gin.Context) ([]byte, func(), error) {
	r, err := s.body(c)
	if err != nil {
		return nil, nil, err
	}
	reserved := int64(0)
	release := func() { s.intake.memory.Release(reserved) }
	var out []byte
	chunk := make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(r, chunk)
		if n > 0 {
			if !s.intake.memory.TryAcquire(int64(n)) {
				release()
				return nil, nil, &problem.Error{Kind: problem.Unavailable, Detail: "Too many requests are being read at once; send the batch again.", RetryAfter: 1}
			}
			reserved += int64(n)
			out = append(out, chunk[:n]...)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out, release, nil
		}
		if err != nil {
			release()
			return nil, nil, unreadable(err)
		}
	}
}

// receiveLoki takes what shippers push to Loki. Anything that is not called
// JSON is protobuf in a snappy block.
func (s *Service) receiveLoki(c *gin.Context, team identity.Team) error {
	raw, release, err := s.whole(c)
	if err != nil {
		return err
	}
	defer release()
	limits := loki.Limits{Decoded: int(s.MaxDecoded), Streams: maxBatch / 10, Lines: maxBatch}
	read := loki.ReadProtobuf
	if strings.HasPrefix(c.ContentType(), "application/json") {
		read = loki.ReadJSON
	}
	b, err := read(raw, limits)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "%s.", sentence(err))
	}
	if err := s.Accept(c.Request.Context(), Batch{Team: team.ID, Source: "loki", Records: b.Records, Rejected: b.Rejected}); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

// sentence begins an error's text with a capital letter.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

type jsonLinesOut struct {
	Accepted   int    `json:"accepted"`
	Rejected   int    `json:"rejected"`
	FirstError string `json:"first_error,omitempty"`
}

// receiveJSONLines takes one JSON object a line, or an array of them. The
// arguments name the fields that hold time, message and labels.
func (s *Service) receiveJSONLines(c *gin.Context, team identity.Team) error {
	raw, release, err := s.whole(c)
	if err != nil {
		return err
	}
	defer release()
	o := jsonlines.Options{Time: c.Query("_time_field"), Message: c.Query("_msg_field"), Service: c.Query("_service"), Now: s.Now(), Lines: maxBatch, Line: maxLine}
	if names := c.Query("_stream_fields"); names != "" {
		o.Stream = strings.Split(names, ",")
	}
	b, err := jsonlines.Read(bytes.NewReader(raw), o)
	if err != nil {
		return problem.Wrap(err, problem.TooLarge, "%s.", sentence(err))
	}
	if err := s.Accept(c.Request.Context(), Batch{Team: team.ID, Source: "jsonline", Records: b.Records, Rejected: b.Rejected}); err != nil {
		return err
	}
	out := jsonLinesOut{Accepted: len(b.Records), FirstError: b.First}
	for _, n := range b.Rejected {
		out.Rejected += n
	}
	c.JSON(http.StatusOK, out)
	return nil
}
