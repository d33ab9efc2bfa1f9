package system

import (
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// BackupState is where a backup stands; the words are stored and on the wire.
type BackupState string

// The states of a backup. A running one becomes whole or failed, a whole one gone.
const (
	BackupRunning BackupState = "running"
	BackupWhole   BackupState = "whole"
	BackupFailed  BackupState = "failed"
	BackupGone    BackupState = "gone" // pruned or deleted; its row stays as history
)

// Cause is why a backup was made; the words are stored and on the wire.
type Cause string

// The causes.
const (
	BySchedule  Cause = "schedule"
	ByPerson    Cause = "person"
	ByCommand   Cause = "command"
	ByMigration Cause = "migration"
)

// Place is where an archive lies; the words are stored and on the wire.
type Place string

// The places.
const (
	InFolder Place = "folder"
	InS3     Place = "s3"
	InFile   Place = "file" // wherever the command was told; never pruned
)

// Backup is one archive, or the attempt to make it.
type Backup struct {
	ID     string
	Name   string
	Place  Place
	Kind   string
	Cause  Cause
	Actor  string
	Node   string
	State  BackupState
	Error  string
	Start  time.Time
	Finish time.Time
	// At is the instant whose state it holds.
	At      time.Time
	Schema  int64
	Archive int64 // bytes
	Content int64 // bytes
	Rows    int64
	Parts   int64
	Missing int64
}

// BackupSettings are what a person sets on the page; the configuration's until then.
type BackupSettings struct {
	// EveryHours is the pause between two backups; 0 makes none.
	EveryHours int
	// AtMinute is the minute of the day, UTC, that the pauses are counted from.
	AtMinute int
	// Keep is how many backups of the schedule stay.
	Keep int
	// Rehearse restores each backup of the schedule into a scratch place at once.
	Rehearse bool

	ChangedBy string
	Changed   time.Time
}

const (
	maxEveryHours = 24 * 7
	maxKeep       = 1000
)

// Validate refuses what no schedule can be made of.
func (s BackupSettings) Validate() error {
	switch {
	case s.EveryHours < 0 || s.EveryHours > maxEveryHours:
		return problem.FieldError("every_hours", "%d is not between 0, which is never, and %d, which is weekly", s.EveryHours, maxEveryHours)
	case s.AtMinute < 0 || s.AtMinute >= 24*60:
		return problem.FieldError("at_minute", "%d is no minute of a day", s.AtMinute)
	case s.Keep < 1 || s.Keep > maxKeep:
		return problem.FieldError("keep", "%d is not between 1 and %d", s.Keep, maxKeep)
	}
	return nil
}

// anchor is where the pauses are counted from: a Monday, so that weekly has a day.
var anchor = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// lastDue is the newest instant of the schedule that is not after now.
func (s BackupSettings) lastDue(now time.Time) time.Time {
	every := time.Duration(s.EveryHours) * time.Hour
	from := anchor.Add(time.Duration(s.AtMinute) * time.Minute)
	return from.Add(now.Sub(from) / every * every)
}

// Next is when the schedule makes the next backup; zero when it makes none.
func (s BackupSettings) Next(now time.Time) time.Time {
	if s.EveryHours == 0 {
		return time.Time{}
	}
	return s.lastDue(now).Add(time.Duration(s.EveryHours) * time.Hour)
}

// due reports whether the schedule wants a backup now, when the last one that it wanted
// began then. A server that was off at the hour makes up for it.
func (s BackupSettings) due(now, last time.Time) bool {
	return s.EveryHours > 0 && last.Before(s.lastDue(now))
}

// RehearsalState is how a rehearsal stands; the words are stored and on the wire.
type RehearsalState string

// The states of a rehearsal.
const (
	RehearsalRunning RehearsalState = "running"
	RehearsalPassed  RehearsalState = "passed"
	RehearsalFailed  RehearsalState = "failed"
)

// Rehearsal is one restoration into a scratch place.
type Rehearsal struct {
	ID       string
	BackupID string
	Name     string
	Actor    string
	State    RehearsalState
	Error    string
	Start    time.Time
	Finish   time.Time
	// RTO is how long it took from the archive to a checked installation of this version.
	RTO time.Duration
	// RPO is how old the archive's state was when it began: what would have been lost.
	RPO   time.Duration
	Steps []RehearsalStep
}

// RehearsalStep is one thing that a rehearsal did, and what it found.
type RehearsalStep struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
	TookMS int64  `json:"took_ms"`
}

// ArchiveName sorts by time and says what made it.
func ArchiveName(at time.Time, cause Cause, id string) string {
	return fmt.Sprintf("signalbox-%s-%s-%.6s.sbx", at.UTC().Format("20060102-150405"), cause, id)
}
