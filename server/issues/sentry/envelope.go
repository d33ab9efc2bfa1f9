package sentry

import (
	"time"

	"github.com/signalbox/signalbox/server/platform/content"
)

// ErrTooLarge says that a body, a line or an item exceeds its limit.
var ErrTooLarge = content.ErrTooLarge

// MalformedError says why bytes are no envelope and in which line.
type MalformedError = content.MalformedError

// Envelope is one request: a header and its items, in the order sent.
type Envelope struct {
	Header EnvelopeHeader
	Items  []Item
}

// EnvelopeHeader is the first line of an envelope.
type EnvelopeHeader struct {
	// EventID has 32 lower-case hex digits, or is empty.
	EventID string
	DSN     string
	SDK     SDK
	// SentAt is zero when the client did not say when it sent.
	SentAt time.Time
	// Trace is the dynamic sampling context; its values are strings.
	Trace map[string]string
}

// Item is one part of an envelope; Payload is its bytes as sent.
type Item struct {
	Type           string
	ContentType    string
	Filename       string
	AttachmentType string
	// Count is the number of entries in a log, span or trace_metric item.
	Count   int
	Payload []byte
	// TooLarge says that the payload exceeded its limit and was skipped, while
	// the rest of the envelope is good; Size is what it would have been.
	TooLarge bool
	Size     int64
}
