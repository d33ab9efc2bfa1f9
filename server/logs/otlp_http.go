package logs

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/wire/otlp"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// otlpRoutes are where OpenTelemetry's exporters send; the second is the address
// that Loki gives them.
func (s *Service) otlpRoutes(r api.Router, token api.Access) {
	for _, path := range []string{"/v1/logs", "/otlp/v1/logs"} {
		r.POST(path, token, s.receiving("otlp", otlpRefusal, s.receiveOTLP))
	}
}

func otlpJSON(c *gin.Context) bool { return strings.HasPrefix(c.ContentType(), "application/json") }

func otlpAnswer(c *gin.Context, status int, body []byte) {
	kind := "application/x-protobuf"
	if otlpJSON(c) {
		kind = "application/json"
	}
	c.Data(status, kind, body)
}

// otlpRefusal is a google.rpc.Status in the encoding of the request.
func otlpRefusal(c *gin.Context, err error) {
	p := problem.From(err)
	if p.Kind == problem.Unauthorized {
		c.Header("WWW-Authenticate", `Basic realm="signalbox"`)
	}
	code, ok := map[problem.Kind]otlp.Code{problem.Unauthorized: otlp.Unauthenticated, problem.Forbidden: otlp.PermissionDenied, problem.TooMany: otlp.ResourceExhausted,
		problem.Unavailable: otlp.Unavailable, problem.Internal: otlp.Internal}[p.Kind]
	if !ok {
		code = otlp.InvalidArgument
	}
	otlpAnswer(c, p.Status(), otlp.Status(otlpJSON(c), code, p.Detail))
}

func (s *Service) receiveOTLP(c *gin.Context, team identity.Team) error {
	raw, release, err := s.whole(c)
	if err != nil {
		return err
	}
	defer release()
	read := otlp.ReadProtobuf
	if otlpJSON(c) {
		read = otlp.ReadJSON
	}
	b, err := read(raw, otlp.Limits{Lines: maxBatch, Line: maxLine})
	if errors.Is(err, otlp.ErrTooMany) {
		return problem.Wrap(err, problem.TooLarge, "%s.", sentence(err))
	}
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "%s.", sentence(err))
	}
	if err := s.Accept(c.Request.Context(), Batch{Team: team.ID, Source: "otlp", Records: b.Records, Rejected: b.Rejected}); err != nil {
		return err
	}
	otlpAnswer(c, http.StatusOK, otlp.Answer(otlpJSON(c), b.Lost(), b.Why()))
	return nil
}
