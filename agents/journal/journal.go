package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// Schema is the number of this form of the file. An older one is read, a newer one refused.
const Schema = 1

// ErrBusy means that another run holds the folder.
var ErrBusy = errors.New("another run of the agent is active")

// Run is one attempt to bring one bundle onto this machine.
type Run struct {
	State   protocol.State `json:"state"`
	Rollout string         `json:"rollout,omitempty"`
	Bundle  string         `json:"bundle,omitempty"`
	Version int64          `json:"version,omitempty"`
	Channel string         `json:"channel,omitempty"`
	// Order is the signed assignment that began the run, for whoever goes on with
	// it after a crash; empty when a person began it.
	Order *protocol.Envelope `json:"order,omitempty"`
	// Plan is what is asked; for a person's run there is no Order to read it from.
	Plan    protocol.Assignment `json:"plan"`
	Started time.Time           `json:"started"`
	Changed time.Time           `json:"changed"`
	// BootID is the boot in which the install was done, set while a reboot is awaited.
	BootID string `json:"boot_id,omitempty"`
	// Before and After are versions by package (name:arch) of those that the run changes.
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
	// Method is the driver that can take it back; empty: none.
	Method   string        `json:"method,omitempty"`
	Installs int           `json:"installs,omitempty"` // times the install was begun
	Healths  int           `json:"healths,omitempty"`  // times the checks were begun
	Cause    protocol.Exit `json:"cause,omitempty"`    // why it rolls back
	Exit     protocol.Exit `json:"exit"`
	Stale    bool          `json:"stale,omitempty"` // installed past its expiry, within the grace
	Message  string        `json:"message,omitempty"`
}

// Quarantine is why a bundle is not touched any more, and since when.
type Quarantine struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Point is a state that the machine can go back to from what it has now.
type Point struct {
	Bundle string            `json:"bundle"` // that changed the machine after it
	Method string            `json:"method"`
	Before map[string]string `json:"before"`
	After  map[string]string `json:"after"`
	At     time.Time         `json:"at"`
}

// Record is the whole memory.
type Record struct {
	Schema int `json:"schema"`
	Run    Run `json:"run"`
	// Quarantined are bundles that are not touched again, with the reason.
	Quarantined map[string]Quarantine `json:"quarantined,omitempty"`
	// Bad counts, by bundle, the times that a complete blob had the wrong hash.
	Bad map[string]int `json:"bad,omitempty"`
	// Good is the newest moment that was certainly in the past.
	Good time.Time `json:"good"`
	// Issued is the newest order seen; an older one is a replay.
	Issued time.Time `json:"issued"`
	// Current is the last bundle that succeeded.
	Current  string         `json:"current,omitempty"`
	LastExit *protocol.Exit `json:"last_exit,omitempty"`
	// Points are what a person or the portal can have restored, oldest first.
	Points []Point `json:"points,omitempty"`
}

// next lists the states that may follow one; a kill may come between any two.
var next = map[protocol.State][]protocol.State{
	protocol.StateIdle:           begins,
	protocol.StateDeferred:       begins,
	protocol.StateSucceeded:      begins,
	protocol.StateRolledBack:     begins,
	protocol.StateFailed:         begins,
	protocol.StateQuarantined:    begins,
	protocol.StateVerifying:      append([]protocol.State{protocol.StateInstalling, protocol.StateSucceeded}, begins...),
	protocol.StateInstalling:     {protocol.StateInstalling, protocol.StateHealthChecking, protocol.StateRollingBack, protocol.StateFailed},
	protocol.StateHealthChecking: {protocol.StateHealthChecking, protocol.StateSucceeded, protocol.StateRollingBack, protocol.StateFailed},
	protocol.StateRollingBack:    {protocol.StateRollingBack, protocol.StateRolledBack, protocol.StateFailed},
}

// begins is what may follow where the machine is not being touched: a new run,
// the refusal of one, or taking back an earlier one.
var begins = []protocol.State{protocol.StateIdle, protocol.StateVerifying, protocol.StateDeferred, protocol.StateQuarantined, protocol.StateFailed, protocol.StateRollingBack}

// CanBecome tells whether a run may go from one state to the other.
func CanBecome(from, to protocol.State) bool {
	return slices.Contains(next[from], to) || from == to && from.Final()
}

// Journal is the open file. It is for one goroutine.
type Journal struct {
	dir    string
	now    func() time.Time
	lock   *os.File
	record Record
	// Wrote is called before the file's content is replaced and again after it,
	// with a number that counts up: the place where tests kill the process.
	Wrote func(step int)
	steps int
}

const name = "journal.json"

// Open takes the folder, which must exist, and reads what is there. now stamps the changes.
func Open(dir string, now func() time.Time) (*Journal, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrBusy, lock.Close())
	}
	record, err := Read(dir)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Journal{dir: dir, now: now, lock: lock, record: record, Wrote: func(int) {}}, nil
}

// Close lets the next run in. Unlocking comes first: a program that is being
// started at this moment may hold a copy of the descriptor for an instant.
func (j *Journal) Close() error {
	return errors.Join(syscall.Flock(int(j.lock.Fd()), syscall.LOCK_UN), j.lock.Close())
}

// Read gives what is written, without the lock: what a status command shows.
func Read(dir string) (Record, error) {
	r := Record{Schema: Schema, Run: Run{State: protocol.StateIdle}}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.fill()
		return r, nil
	case err != nil:
		return r, fmt.Errorf("read the journal: %w", err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("read the journal: %w", err)
	}
	if r.Schema > Schema {
		return r, fmt.Errorf("the journal is of a newer agent (form %d, this one knows %d)", r.Schema, Schema)
	}
	if !r.Run.State.Valid() {
		return r, fmt.Errorf("the journal is in a state %q that this agent does not know", r.Run.State)
	}
	r.Schema = Schema
	r.fill()
	return r, nil
}

func (r *Record) fill() {
	if r.Quarantined == nil {
		r.Quarantined = map[string]Quarantine{}
	}
	if r.Bad == nil {
		r.Bad = map[string]int{}
	}
}

// Now is the record; changing the copy changes nothing.
func (j *Journal) Now() Record {
	r := j.record
	r.Quarantined, r.Bad = maps.Clone(r.Quarantined), maps.Clone(r.Bad)
	return r
}

// Change alters the record and makes it durable before it returns. A change of
// state that the table does not know is a mistake of the program and refused.
func (j *Journal) Change(change func(r *Record)) error {
	r := j.Now()
	change(&r)
	if !CanBecome(j.record.Run.State, r.Run.State) {
		return fmt.Errorf("a run that is %s cannot become %s", j.record.Run.State, r.Run.State)
	}
	r.Run.Changed = j.now().UTC()
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	j.step()
	if err := Replace(filepath.Join(j.dir, name), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	j.record = r
	j.step()
	return nil
}

func (j *Journal) step() {
	j.steps++
	j.Wrote(j.steps)
}

// Replace writes a file so that after a power cut it is either the old or the
// new one, whole.
func Replace(path string, content []byte, mode fs.FileMode) error {
	temp, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes renames and removals in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
