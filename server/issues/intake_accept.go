package issues

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// inlineAttachment is the largest attachment that lies in the spool itself;
// larger ones go to the blob store first.
const inlineAttachment = 64 << 10

// storedTypes are the item types that digestion knows.
var storedTypes = map[string]bool{"event": true, "transaction": true, "feedback": true, "user_report": true, "attachment": true, "session": true, "sessions": true,
	"check_in": true, "span": true, "security": true, "raw_security": true}

// refusedTypes are known and not kept: clients are told to stop sending them.
var refusedTypes = map[string]bool{"log": true, "otel_log": true, "trace_metric": true, "replay_event": true, "replay_recording": true, "replay_video": true,
	"profile": true, "profile_chunk": true, "statsd": true, "metric_buckets": true, "metric_meta": true, "nel": true, "otel_span": true}

// unwantedType reports whether a known item type is not kept, as nobody is wired who would.
func (s *Service) unwantedType(itemType string) bool {
	switch itemType {
	case "log":
		return s.OnLogs == nil
	case "trace_metric":
		return s.OnMetrics == nil
	}
	return refusedTypes[itemType]
}

// mainType reports whether an item is one of which an envelope holds one, whose id is the envelope's.
func mainType(itemType string) bool {
	switch itemType {
	case "event", "transaction", "feedback", "security", "raw_security":
		return true
	}
	return false
}

// acceptance is one envelope on its way into the spool.
type acceptance struct {
	*sender
	now time.Time
	id  string
	// items are those to keep, limits what the client is told of the others.
	items   []sentry.Item
	limits  []refusal
	limited int // items refused because of a limit
	large   int // items refused because of their size
	// lost is why the main item is not kept; its attachments are not kept either.
	lost       Outcome
	lostReason string
	main       bool
	counts     map[string]int64 // accepted, by category
}

// accept decides what to keep of an envelope and keeps it.
func (s *Service) accept(ctx context.Context, from *sender, envelope sentry.Envelope) (receipt, error) {
	a := &acceptance{sender: from, now: s.Now(), id: envelope.Header.EventID, counts: map[string]int64{}}
	if a.id == "" {
		a.id = s.eventID(envelope.Items)
	}
	// The main item first: attachments share its fate, wherever they stand.
	for _, main := range []bool{true, false} {
		for _, item := range envelope.Items {
			if mainType(item.Type) == main {
				if err := s.judge(ctx, a, item); err != nil {
					return receipt{}, err
				}
			}
		}
	}
	if len(a.items) == 0 {
		return s.nothingKept(a)
	}
	raw, err := s.records(ctx, a)
	if err != nil {
		return receipt{}, err
	}
	if err := s.spool.keep(raw); err != nil {
		for category, n := range a.counts {
			s.count(from.project.ID, from.key.ID, OutcomeDropped, "overloaded", category, n)
		}
		return receipt{}, err
	}
	for category, n := range a.counts {
		s.count(from.project.ID, from.key.ID, OutcomeAccepted, "", category, n)
	}
	s.outcomes.seen(from.project, from.key.ID, a.now.UnixMilli(), a.main && a.lost == "")
	return receipt{a.id, a.limits}, nil
}

// nothingKept is 200 unless a limit or a size was the reason.
func (s *Service) nothingKept(a *acceptance) (receipt, error) {
	switch {
	case a.limited > 0:
		return receipt{}, &refused{status: http.StatusTooManyRequests, detail: "Sentry dropped data due to a quota or internal rate limit being reached. " +
			"This will not affect your application. The project's limits are in its settings.", limits: a.limits}
	case a.large > 0:
		return receipt{}, &refused{status: http.StatusRequestEntityTooLarge, detail: "an item is larger than allowed", limits: a.limits}
	}
	return receipt{a.id, a.limits}, nil
}

// judge decides about one item.
func (s *Service) judge(ctx context.Context, a *acceptance, item sentry.Item) error {
	category, quantity := sentry.Category(item.Type), int64(max(1, item.Count))
	note := func(outcome Outcome, reason string) {
		s.count(a.project.ID, a.key.ID, outcome, reason, category, quantity)
		if mainType(item.Type) && a.lost == "" && !a.main {
			a.lost, a.lostReason = outcome, reason
		}
	}
	switch {
	case item.Type == "client_report":
		s.countReport(a, item)
		return nil
	case item.TooLarge:
		a.large++
		note(OutcomeInvalid, "too_large")
		return nil
	case s.unwantedType(item.Type):
		a.limits = append(a.limits, refusal{category, scopeProject, "not_kept", a.now.Add(notKept)})
		note(OutcomeDropped, "not_kept")
		return nil
	case !storedTypes[item.Type] && !refusedTypes[item.Type]:
		note(OutcomeDropped, "unknown_type")
		return nil
	case mainType(item.Type) && a.main:
		note(OutcomeInvalid, "second_event")
		return nil
	case item.Type == "attachment" && a.lost != "":
		note(a.lost, a.lostReason)
		return nil
	}
	if reason := a.unwanted(item); reason != "" {
		note(OutcomeFiltered, reason)
		return nil
	}
	over, err := s.admit(ctx, a.project, a.key, category, quantity)
	if err != nil {
		return err
	}
	if over != nil {
		a.limited++
		a.limits = append(a.limits, *over)
		note(OutcomeLimited, over.reason)
		return nil
	}
	a.main = a.main || mainType(item.Type)
	a.items = append(a.items, item)
	a.counts[category] += quantity
	return nil
}

// unwanted says which of the project's filters an item meets, "" when none.
func (a *acceptance) unwanted(item sentry.Item) string {
	f := a.project.filter
	if f.byAddress(a.address) {
		return reasonAddress
	}
	if !f.looks() || item.Type != "event" && item.Type != "transaction" {
		return ""
	}
	e, err := sentry.ParseEvent(item.Payload, a.now, a.sent)
	if err != nil {
		return "" // digestion says what is wrong with it
	}
	return f.byEvent(e)
}

// maxReported bounds what a client may claim to have thrown away at once.
const maxReported = 1_000_000

func (s *Service) countReport(a *acceptance, item sentry.Item) {
	report, err := sentry.ParseClientReport(item.Payload, a.now)
	if err != nil {
		s.count(a.project.ID, a.key.ID, OutcomeInvalid, "malformed", "internal", 1)
		return
	}
	for _, d := range report.Discarded {
		s.count(a.project.ID, a.key.ID, OutcomeDiscarded, clip(d.Reason, 50), clip(d.Category, 30), min(d.Quantity, maxReported))
	}
	s.outcomes.seen(a.project, a.key.ID, a.now.UnixMilli(), false)
}

// eventID is the payload's own when the envelope has none, else a new one.
func (s *Service) eventID(items []sentry.Item) string {
	for _, item := range items {
		if !mainType(item.Type) {
			continue
		}
		var payload struct {
			EventID string `json:"event_id"`
		}
		if json.Unmarshal(item.Payload, &payload) == nil {
			if id := plainID(payload.EventID); id != "" {
				return id
			}
		}
	}
	return plainID(s.NewID())
}

// plainID is an event id as 32 lower-case hex digits, "" when it is none.
func plainID(id string) string {
	id = strings.ToLower(strings.ReplaceAll(id, "-", ""))
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// records encodes what is kept; large attachments become references.
func (s *Service) records(ctx context.Context, a *acceptance) ([]byte, error) {
	size := 0
	for _, item := range a.items {
		if item.Type != "attachment" || len(item.Payload) <= inlineAttachment {
			size += len(item.Payload)
		}
	}
	raw := make([]byte, 0, size+len(a.items)*300)
	for _, item := range a.items {
		r := Accepted{Project: a.project.ID, Team: a.project.Team, Key: a.key.ID, Received: a.now, Sent: a.sent, Address: a.address, EventID: a.id,
			ItemType: item.Type, Client: a.client, Payload: item.Payload, Header: headerOf(item)}
		if item.Type == "attachment" && len(item.Payload) > inlineAttachment {
			ref, err := s.Blobs.Put(ctx, a.project.Team, bytes.NewReader(item.Payload), s.Limits.Attachment)
			if err != nil {
				return nil, fmt.Errorf("store an attachment: %w", err)
			}
			hold := s.NewID()
			if err := s.hold(ctx, a.project.Team, ref.SHA256, hold); err != nil {
				return nil, fmt.Errorf("hold an attachment: %w", err)
			}
			r.Payload = nil
			r.Header[headerBlob], r.Header[headerSize], r.Header[headerHold] = ref.SHA256, strconv.FormatInt(ref.Size, 10), hold
		}
		raw = appendRecord(raw, r)
	}
	return raw, nil
}

func headerOf(item sentry.Item) map[string]string {
	if item.Type != "attachment" && item.Count == 0 {
		return nil
	}
	h := map[string]string{}
	for name, value := range map[string]string{headerFilename: item.Filename, headerContentType: item.ContentType, headerAttachmentType: item.AttachmentType} {
		if value = clip(value, 300); value != "" && item.Type == "attachment" {
			h[name] = value
		}
	}
	if item.Count > 0 {
		h[headerCount] = strconv.Itoa(item.Count)
	}
	return h
}
