package work

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"
)

// State is where a job stands; the words are stored.
type State string

// The states. A job that succeeded has no row any more.
const (
	Waiting State = "waiting" // for its time, its turn or a free worker
	Running State = "running" // under a lease
	Dead    State = "dead"    // after its last attempt; a person decides
)

// Job is a piece of durable work.
type Job struct {
	ID   int64
	Kind string
	// Team owns the job; 0 when it concerns the installation.
	Team int64
	// Payload is the handler's own JSON.
	Payload json.RawMessage
	// UniqueKey, if set, makes a second waiting job of the kind with the same key superfluous.
	UniqueKey string
	// SerialKey, if set, makes jobs with the same key run one after another.
	SerialKey string
	// Node, if set, is the only server that may run it: what it works on is there.
	Node string
	// RunAt is the earliest time; zero means now.
	RunAt time.Time
	// Attempt counts from 1 while running.
	Attempt int
	// LastError is that of the attempt before.
	LastError string
	State     State
	Created   time.Time
	Updated   time.Time
}

// Pool bounds how a kind of job is run.
type Pool struct {
	// Workers run at once on this node.
	Workers int
	// MaxAttempts before the job is dead; 0 means 12 (about two hours with the
	// usual delays), negative means never.
	MaxAttempts int
}

type delayed struct {
	error
	after time.Duration
}

func (d delayed) Unwrap() error { return d.error }

// RetryAfter makes a handler's error retry after exactly that delay.
func RetryAfter(after time.Duration, err error) error { return delayed{err, after} }

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// GiveUp makes a handler's error final: the job is dead at once.
func GiveUp(err error) error { return permanent{err} }

// ErrDetached is what a handler returns when the server is stopping and the work
// goes on elsewhere or later: the lease is released and no attempt counted.
var ErrDetached = errors.New("detached: the server is stopping")

const (
	firstDelay = time.Second
	longest    = 30 * time.Minute
)

// delay before attempt n+1: doubling from a second to half an hour, ± 20 %, so
// that jobs that failed together do not come back together.
func delay(attempt int) time.Duration {
	d := longest
	if attempt < 12 {
		d = min(firstDelay<<(attempt-1), longest)
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
