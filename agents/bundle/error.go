package bundle

import (
	"errors"
	"fmt"
)

// Kind says what is wrong with a bundle, so that an agent knows what to do about it.
type Kind string

// The kinds and the agent's exit codes.
const (
	// Malformed is a complete file that is not a bundle, or breaks a limit: 2.
	Malformed Kind = "malformed"
	// Integrity is a complete blob, member or metadata file with the wrong hash or length: 2.
	Integrity Kind = "integrity"
	// Authenticity is a missing, wrong or revoked signature, or too few of them: 3.
	Authenticity Kind = "authenticity"
	// Incomplete is something that ends early or is not there yet; staging goes on: 4.
	Incomplete Kind = "incomplete"
	// Stale is metadata or a bundle past its date, or older than what was accepted before: 9.
	Stale Kind = "stale"
	// Target is a bundle for another machine: 9.
	Target Kind = "target"
)

var exitCodes = map[Kind]int{Malformed: 2, Integrity: 2, Authenticity: 3, Incomplete: 4, Stale: 9, Target: 9}

// Error is what every check here returns when it refuses something.
type Error struct {
	Kind Kind
	// Message is a sentence for the person who has to act on it.
	Message string
	cause   error
}

// Error is the sentence, with the cause where a library knew more.
func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + " (" + e.cause.Error() + ")"
	}
	return e.Message
}

// Unwrap returns the library's error.
func (e *Error) Unwrap() error { return e.cause }

func refuse(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func refuseBecause(kind Kind, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), cause: cause}
}

// KindOf returns the kind of the refusal in err's chain; "" for any other error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// ExitCode is what a program ends with after err: 0 for nil, the kind's code, 1 for anything else.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	if code, ok := exitCodes[KindOf(err)]; ok {
		return code
	}
	return 1
}
