package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// MaxBody is the largest JSON body of our own API, in bytes.
const MaxBody = 12 << 20

// Validator is what an In may implement; its error reaches the caller.
type Validator interface{ Validate() error }

// Created is what a handler returns to answer 201 with a body and, if set, a Location.
type Created[T any] struct {
	Value    T
	Location string
}

// Nothing is the In or Out of handlers that take or give none; as Out it is 204.
type Nothing struct{}

// Handle makes a gin handler of a typed function. In is filled from the query
// (`form:"…"`), the JSON body (`json:"…"`) and last the path (`uri:"…"`), so that
// nothing in the body can stand for what the path says. Unknown JSON fields are
// refused by name.
func Handle[In, Out any](fn func(context.Context, In) (Out, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		var in In
		if err := bind(c, &in); err != nil {
			WriteProblem(c, err)
			return
		}
		out, err := fn(c.Request.Context(), in)
		if err != nil {
			WriteProblem(c, err)
			return
		}
		write(c, out)
	}
}

func bind(c *gin.Context, in any) error {
	if err := binding.MapFormWithTag(in, c.Request.URL.Query(), "form"); err != nil {
		return problem.Wrap(err, problem.Invalid, "The query is not valid: %s.", err)
	}
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		if err := bindJSON(c, in); err != nil {
			return err
		}
	}
	if err := c.ShouldBindUri(in); err != nil {
		return problem.Wrap(err, problem.NotFound, "There is nothing at this address: %s.", err)
	}
	if v, ok := in.(Validator); ok {
		return v.Validate()
	}
	return nil
}

func bindJSON(c *gin.Context, in any) error {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return problem.New(problem.TooLarge, "The body is larger than %d MB.", MaxBody>>20)
	case err != nil:
		return problem.Wrap(err, problem.Invalid, "The body could not be read to its end.")
	case len(bytes.TrimSpace(body)) == 0:
		return nil
	case !utf8.Valid(body):
		return problem.New(problem.Invalid, "The body is not UTF-8.")
	}
	if t := c.ContentType(); t != "application/json" && !strings.HasSuffix(t, "+json") {
		return problem.New(problem.Unsupported, "Send the body as Content-Type: application/json, not %q.", t)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return explainJSON(err)
	}
	if d.More() {
		return problem.New(problem.Invalid, "There is more after the JSON document in the body.")
	}
	return nil
}

func explainJSON(err error) error {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrongType):
		return problem.FieldError(wrongType.Field, "is a %s where a %s is expected", wrongType.Value, wrongType.Type)
	case errors.As(err, &syntax):
		return problem.New(problem.Invalid, "The body is not JSON: %s at byte %d.", syntax, syntax.Offset)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name, _ := strconv.Unquote(strings.TrimPrefix(err.Error(), "json: unknown field "))
		return problem.FieldError(name, "is not a field of this request")
	case problem.Is(err, problem.Invalid):
		return err
	}
	return problem.Wrap(err, problem.Invalid, "The body is not JSON that this request takes: %s.", err)
}

type created interface{ parts() (any, string) }

func (r Created[T]) parts() (any, string) { return r.Value, r.Location }

func write(c *gin.Context, out any) {
	status := http.StatusOK
	switch v := out.(type) {
	case Nothing, *Nothing:
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return
	case created:
		var location string
		out, location = v.parts()
		status = http.StatusCreated
		if location != "" {
			c.Header("Location", location)
		}
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		WriteProblem(c, err)
		return
	}
	if status == http.StatusOK && c.Request.Method != http.MethodPost {
		sum := sha256.Sum256(body.Bytes())
		tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		c.Header("ETag", tag)
		c.Header("Cache-Control", "private, no-cache")
		if matches(c.GetHeader("If-None-Match"), tag) {
			c.Status(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return
		}
	}
	c.Data(status, "application/json; charset=utf-8", body.Bytes())
}

func matches(header, tag string) bool {
	for _, candidate := range strings.Split(header, ",") {
		if candidate = strings.TrimSpace(candidate); strings.TrimPrefix(candidate, "W/") == tag || candidate == "*" {
			return true
		}
	}
	return false
}

type problemBody struct {
	Type      string          `json:"type"`
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail"`
	Instance  string          `json:"instance"`
	RequestID string          `json:"request_id"`
	Errors    []problem.Field `json:"errors,omitempty"`
}

// WriteProblem answers with err as application/problem+json and logs what the
// caller is not told.
func WriteProblem(c *gin.Context, err error) {
	p := problem.From(err)
	ctx := c.Request.Context()
	if p.Kind == problem.Internal && ctx.Err() == nil {
		slog.ErrorContext(ctx, "request failed", "error", err, "route", c.FullPath(), "request_id", RequestID(ctx))
	} else if cause := errors.Unwrap(p); cause != nil {
		slog.InfoContext(ctx, "request refused", "error", cause, "route", c.FullPath(), "request_id", RequestID(ctx))
	}
	if p.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	c.Header("Cache-Control", "no-store")
	body, _ := json.Marshal(problemBody{ // strings and ints only: cannot fail
		Type: "urn:signalbox:problem:" + string(p.Kind), Title: problem.Titles[p.Kind], Status: p.Status(), Detail: p.Detail,
		Instance: c.Request.URL.Path, RequestID: RequestID(ctx), Errors: p.Fields,
	})
	c.Data(p.Status(), "application/problem+json", body)
}
