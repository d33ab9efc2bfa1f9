// Package problem is the one kind of error that users see: a closed set of
// kinds, a sentence, the fields at fault, and the cause kept apart for the log.
// On the wire it is application/problem+json (RFC 9457).
package problem

import (
	"errors"
	"fmt"
)

// Kind says what sort of thing went wrong; it decides the HTTP status.
type Kind string

// The kinds. Their words are the last part of the problem's type URI.
const (
	Invalid      Kind = "invalid"      // the request is malformed or breaks a rule
	Unauthorized Kind = "unauthorized" // nobody is signed in
	Forbidden    Kind = "forbidden"    // signed in, but not allowed
	NotFound     Kind = "not-found"    // no such thing, or not visible to the caller
	Conflict     Kind = "conflict"     // the state changed underneath, or forbids it
	TooLarge     Kind = "too-large"    // body over the limit
	Unsupported  Kind = "unsupported"  // content type or encoding we do not read
	TooMany      Kind = "too-many"     // throttled; RetryAfter says for how long
	Unavailable  Kind = "unavailable"  // disk full, stopping, or a part is down
	Upstream     Kind = "upstream"     // a service outside answered badly
	Internal     Kind = "internal"     // our fault; the detail says nothing
)

// Statuses is the one table from kind to HTTP status.
var Statuses = map[Kind]int{
	Invalid: 400, Unauthorized: 401, Forbidden: 403, NotFound: 404, Conflict: 409, TooLarge: 413,
	Unsupported: 415, TooMany: 429, Unavailable: 503, Upstream: 502, Internal: 500,
}

// Titles is what each kind is called on the wire.
var Titles = map[Kind]string{
	Invalid: "The request is not valid", Unauthorized: "Sign in first", Forbidden: "Not allowed", NotFound: "Not found",
	Conflict: "Conflicts with the current state", TooLarge: "Too large", Unsupported: "Unsupported format",
	TooMany: "Too many requests", Unavailable: "Not available now", Upstream: "Another service failed", Internal: "Internal error",
}

// Field names one field of the request and what is wrong with it.
type Field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error is a problem. Detail is for the user; the cause only for the log.
type Error struct {
	Kind   Kind
	Detail string
	Fields []Field
	// RetryAfter is in seconds and sent as a header when positive.
	RetryAfter int
	cause      error
}

// New makes a problem from a format; the sentence should name the thing and the next step.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// Wrap is New with the cause kept for the log.
func Wrap(cause error, kind Kind, format string, args ...any) *Error {
	e := New(kind, format, args...)
	e.cause = cause
	return e
}

// FieldError is an Invalid problem about one field.
func FieldError(field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	return &Error{Kind: Invalid, Detail: field + ": " + message, Fields: []Field{{Field: field, Message: message}}}
}

// FieldErrors gathers several fields into one problem; nil when there are none.
func FieldErrors(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	detail := fields[0].Field + ": " + fields[0].Message
	if len(fields) > 1 {
		detail = fmt.Sprintf("%s (and %d more)", detail, len(fields)-1)
	}
	return &Error{Kind: Invalid, Detail: detail, Fields: fields}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Detail + ": " + e.cause.Error()
	}
	return e.Detail
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Status is the HTTP status of the problem's kind.
func (e *Error) Status() int { return Statuses[e.Kind] }

// From finds the problem in err; anything else becomes Internal with err as its cause.
func From(err error) *Error {
	var p *Error
	if errors.As(err, &p) {
		return p
	}
	return &Error{Kind: Internal, Detail: "Something went wrong on the server. The request id leads to its log line.", cause: err}
}

// Is reports whether err is a problem of that kind.
func Is(err error, kind Kind) bool {
	var p *Error
	return errors.As(err, &p) && p.Kind == kind
}
