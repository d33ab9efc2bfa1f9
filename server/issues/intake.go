package issues

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// source is how a request came.
type source struct {
	project string
	header  http.Header
	query   url.Values
	// address is the client's, after trusted proxies; origin the page's, if a browser's.
	address, origin string
}

// sender is who sent, once that is known.
type sender struct {
	source
	project *openProject
	key     Key
	client  string
	// sent is when the client says that it sent, by its own clock.
	sent time.Time
}

// refused is a request that is answered with something else than 200, in
// Sentry's form.
type refused struct {
	status int
	detail string
	causes []string
	limits []refusal
	retry  int
}

func (r *refused) Error() string {
	return strings.Join(append([]string{r.detail}, r.causes...), ": ")
}

// receipt is what a client is told of what was kept.
type receipt struct {
	id     string
	limits []refusal
}

// identify finds project and key. A wrong key and a project that does not exist
// look alike, so that nobody learns which numbers exist.
func (s *Service) identify(ctx context.Context, src source, dsn string) (*sender, error) {
	auth, err := sentry.ParseAuth(src.header, src.query, dsn)
	switch {
	case errors.Is(err, sentry.ErrNoAuth):
		return nil, &refused{status: http.StatusUnauthorized, detail: "missing authorization information"}
	case errors.Is(err, sentry.ErrAuthConflict):
		return nil, &refused{status: http.StatusBadRequest, detail: "conflicting authorization information", causes: []string{"header, query and envelope name different keys"}}
	case err != nil:
		return nil, &refused{status: http.StatusBadRequest, detail: "bad authorization information", causes: []string{err.Error()}}
	}
	unknown := &refused{status: http.StatusForbidden, detail: "bad DSN: there is no such project or the key is not one of its keys"}
	id, err := strconv.ParseInt(src.project, 10, 64)
	if err != nil || id <= 0 {
		return nil, unknown
	}
	p, err := s.openProject(ctx, id)
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = &openProject{}
	}
	k, found := p.key(auth.Key)
	if !found {
		return nil, unknown
	}
	if !p.originAllowed(src.origin) {
		s.count(p.ID, k.ID, OutcomeInvalid, "origin", "default", 1)
		return nil, &refused{status: http.StatusForbidden, detail: "invalid origin", causes: []string{"add the page's origin to the project's allowed origins"}}
	}
	return &sender{source: src, project: p, key: k, client: clip(auth.Client, 100)}, nil
}

// clip keeps a client's words short and fit for any database.
func clip(text string, limit int) string {
	text = strings.ToValidUTF8(text[:min(len(text), limit)], "")
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return -1
		}
		return r
	}, text)
}

// takeEnvelope reads an envelope and keeps what is in it.
func (s *Service) takeEnvelope(ctx context.Context, src source, body io.Reader) (receipt, error) {
	dsn := ""
	if _, err := sentry.ParseAuth(src.header, src.query, ""); errors.Is(err, sentry.ErrNoAuth) {
		// Only its first line says who sent: look before reading the rest for a stranger.
		body, dsn = s.peekDSN(body)
	}
	from, err := s.identify(ctx, src, dsn)
	if err != nil {
		return receipt{}, err
	}
	envelope, err := sentry.ReadEnvelope(body, s.Limits)
	if err != nil {
		return receipt{}, s.unreadable(from, err)
	}
	if dsn == "" && envelope.Header.DSN != "" {
		if _, err := s.identify(ctx, src, envelope.Header.DSN); err != nil {
			return receipt{}, err
		}
	}
	if from.client == "" && envelope.Header.SDK.Name != "" {
		from.client = clip(envelope.Header.SDK.Name+"/"+envelope.Header.SDK.Version, 100)
	}
	from.sent = envelope.Header.SentAt
	return s.accept(ctx, from, envelope)
}

// peekDSN reads the first line of an envelope and gives the DSN in it.
func (s *Service) peekDSN(body io.Reader) (whole io.Reader, dsn string) {
	line := make([]byte, 0, 1024)
	for int64(len(line)) < s.Limits.HeaderLine && !bytes.ContainsRune(line, '\n') {
		line = slices.Grow(line, 512)
		n, err := body.Read(line[len(line):cap(line)])
		line = line[:len(line)+n]
		if err != nil {
			break // the next reader meets it again, or the end
		}
	}
	first, _, _ := bytes.Cut(line, []byte("\n"))
	var header struct {
		DSN string `json:"dsn"`
	}
	if json.Unmarshal(first, &header) != nil {
		header.DSN = ""
	}
	return io.MultiReader(bytes.NewReader(line), body), header.DSN
}

// takeStore reads what clients of the first years send: one event.
func (s *Service) takeStore(ctx context.Context, src source, body io.Reader) (receipt, error) {
	from, err := s.identify(ctx, src, "")
	if err != nil {
		return receipt{}, err
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return receipt{}, s.unreadable(from, err)
	}
	envelope, err := sentry.ReadStore(raw)
	if err != nil {
		return receipt{}, s.unreadable(from, err)
	}
	for i, it := range envelope.Items {
		if int64(len(it.Payload)) > s.Limits.Event {
			envelope.Items[i].TooLarge, envelope.Items[i].Size, envelope.Items[i].Payload = true, int64(len(it.Payload)), nil
		}
	}
	from.sent = envelope.Header.SentAt
	return s.accept(ctx, from, envelope)
}

// unreadable turns a body that cannot be read into an answer, and counts it.
func (s *Service) unreadable(from *sender, err error) error {
	answer := explainBody(err)
	var r *refused
	if errors.As(answer, &r) {
		reason := "malformed"
		if r.status == http.StatusRequestEntityTooLarge {
			reason = "too_large"
		}
		s.count(from.project.ID, from.key.ID, OutcomeInvalid, reason, "default", 1)
	}
	return answer
}

func explainBody(err error) error {
	var malformed *sentry.MalformedError
	var tooLarge *http.MaxBytesError
	var busy *memoryError
	switch {
	case errors.As(err, &busy):
		return busy.Unwrap()
	case errors.Is(err, sentry.ErrTooLarge), errors.As(err, &tooLarge):
		return &refused{status: http.StatusRequestEntityTooLarge, detail: "envelope exceeded size limits for type 'event' (https://develop.sentry.dev/sdk/envelopes/#size-limits)"}
	case errors.As(err, &malformed):
		cause := malformed.Reason
		if malformed.Line > 0 {
			cause += fmt.Sprintf(" (line %d)", malformed.Line)
		}
		return &refused{status: http.StatusBadRequest, detail: "bad envelope", causes: []string{cause}}
	}
	return &refused{status: http.StatusBadRequest, detail: "the body could not be read to its end", causes: []string{clip(err.Error(), 200)}}
}
