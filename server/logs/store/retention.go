package store

import (
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// Retention is what a team keeps. Zeros keep everything.
type Retention struct {
	Age     time.Duration // lines older than this go, a day at a time
	Bytes   int64         // on disk; beyond it the oldest days go
	Streams []StreamRetention
}

// StreamRetention keeps some streams for a shorter time than the rest; the first that matches holds.
type StreamRetention struct {
	Match func(record.Labels) bool
	Age   time.Duration
}
