// Package stage fetches blobs ahead of their use: resumed where they broke off,
// at a capped rate, only in the hours that are allowed. A file has its final
// name only once its hash is right; until then it is NAME.part, and its length
// is the offset to go on from.
//
// A file that is short is never wrong, only unfinished. One that is whole and
// has the wrong hash is thrown away and fetched again, three times at most.
package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/agents/journal"
	"github.com/signalbox/signalbox/agents/need"
	"github.com/signalbox/signalbox/agents/protocol"
)

const (
	piece = 32 << 10 // read and waited for at once
	burst = 64 << 10
	// tries is how often a whole blob may be wrong.
	tries = 3
)

// Get asks the portal for a path with these headers. The answer's body is the caller's to close.
type Get func(ctx context.Context, path string, header http.Header) (*http.Response, error)

// Stager fetches into one folder.
type Stager struct {
	Dir string
	Get Get
	Now func() time.Time
	// Floor is the rate in bytes a second below which a source is given up for
	// now, measured over Patience; 0 is 64 bytes over a minute.
	Floor    int64
	Patience time.Duration
	// Progress is told after every piece.
	Progress func(protocol.Progress)
}

// ErrSlow means that the source sent less than the floor.
var ErrSlow = errors.New("the source is slower than the least rate")

// ErrHours means that this is not the time to fetch.
var ErrHours = errors.New("fetching is not allowed at this hour")

// Allowed tells whether staging may go on at now; where not, when it may.
func Allowed(s protocol.Staging, now time.Time) (ok bool, next *time.Time) {
	if s.NotBefore != nil && now.Before(*s.NotBefore) {
		return false, s.NotBefore
	}
	if len(s.Hours) == 0 {
		return true, nil
	}
	for _, h := range s.Hours {
		if h.Contains(now) {
			return true, nil
		}
		if h.From.After(now) && (next == nil || h.From.Before(*next)) {
			from := h.From
			next = &from
		}
	}
	return false, next
}

// Missing is which of the blobs are not there yet.
func (s *Stager) Missing(blobs []need.Blob) []need.Blob {
	var missing []need.Blob
	for _, b := range blobs {
		if info, err := os.Lstat(filepath.Join(s.Dir, b.SHA256)); err != nil || info.Size() != b.Size {
			missing = append(missing, b)
		}
	}
	return missing
}

// Fetch brings all blobs here, or says why it stopped; it can be called again.
func (s *Stager) Fetch(ctx context.Context, blobs []need.Blob, rules protocol.Staging) error {
	limit := rate.NewLimiter(rate.Inf, burst)
	if rules.Kbps > 0 {
		limit = rate.NewLimiter(rate.Limit(rules.Kbps<<10), burst)
		limit.AllowN(time.Now(), burst) // no burst at the start: a thousand nodes start together
	}
	var total int64
	for _, b := range blobs {
		total += b.Size
	}
	missing, done := s.Missing(blobs), total
	for _, b := range missing {
		done -= b.Size
	}
	for _, b := range missing {
		base := done
		t := &transfer{Stager: s, blob: b, rules: rules, limit: limit, told: func(n int64) {
			s.Progress(protocol.Progress{DoneBytes: base + n, TotalBytes: total, Step: b.For})
		}}
		if err := t.run(ctx); err != nil {
			return err
		}
		done += b.Size
	}
	return nil
}

// Keep removes everything that is not among the blobs.
func (s *Stager) Keep(blobs []need.Blob) error {
	wanted := map[string]bool{}
	for _, b := range blobs {
		wanted[b.SHA256] = true
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return fmt.Errorf("clear the spool: %w", err)
	}
	var all error
	for _, e := range entries {
		if !wanted[strings.TrimSuffix(e.Name(), ".part")] {
			all = errors.Join(all, os.RemoveAll(filepath.Join(s.Dir, e.Name())))
		}
	}
	return all
}

// transfer is one blob on its way.
type transfer struct {
	*Stager
	blob  need.Blob
	rules protocol.Staging
	limit *rate.Limiter
	told  func(done int64)
}

func (t *transfer) run(ctx context.Context) error {
	for bad := 0; ; {
		whole, err := t.attempt(ctx)
		if err == nil {
			return nil
		}
		if !whole {
			return err
		}
		if bad++; bad >= tries {
			return &bundle.Error{Kind: bundle.Integrity, Message: fmt.Sprintf("%s came whole and wrong %d times.", t.blob.For, bad)}
		}
	}
}

// attempt goes on from what is there. whole tells that a complete file was wrong.
func (t *transfer) attempt(ctx context.Context) (whole bool, err error) {
	part := filepath.Join(t.Dir, t.blob.SHA256+".part")
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return false, fmt.Errorf("stage %s: %w", t.blob.For, err)
	}
	sum := sha256.New()
	have, err := resume(f, sum, t.blob.Size)
	for err == nil && have < t.blob.Size {
		before := have
		if have, err = t.download(ctx, f, sum, have); err == nil && have == before {
			err = &bundle.Error{Kind: bundle.Incomplete, Message: t.blob.For + " broke off before it brought anything."}
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	if hex.EncodeToString(sum.Sum(nil)) != t.blob.SHA256 {
		return true, errors.Join(&bundle.Error{Kind: bundle.Integrity, Message: t.blob.For + " has the wrong hash."}, os.Remove(part))
	}
	if err := os.Rename(part, filepath.Join(t.Dir, t.blob.SHA256)); err != nil {
		return false, fmt.Errorf("stage %s: %w", t.blob.For, err)
	}
	return false, journal.SyncDir(t.Dir)
}

// resume hashes what an earlier attempt brought.
func resume(f *os.File, sum hash.Hash, size int64) (have int64, err error) {
	if have, err = io.Copy(sum, io.LimitReader(f, size+1)); err != nil {
		return 0, err
	}
	if have > size { // of another bundle, or damaged: begin again
		sum.Reset()
		return restart(f, sum)
	}
	return have, nil
}

func restart(f *os.File, sum hash.Hash) (int64, error) {
	sum.Reset()
	_, err := f.Seek(0, io.SeekStart)
	return 0, errors.Join(err, f.Truncate(0))
}

// download asks for the rest and appends it.
func (t *transfer) download(ctx context.Context, f *os.File, sum hash.Hash, have int64) (came int64, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	header := http.Header{}
	tag := `"` + t.blob.SHA256 + `"`
	if have > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		header.Set("If-Range", tag)
	}
	answer, err := t.Get(ctx, protocol.BlobPath(t.blob.SHA256), header)
	if err != nil {
		return have, err
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	switch answer.StatusCode {
	case http.StatusOK: // the whole of it, whatever was asked for
		if have > 0 {
			if have, err = restart(f, sum); err != nil {
				return have, err
			}
		}
	case http.StatusPartialContent:
		if !begins(answer.Header.Get("Content-Range"), have, t.blob.Size) {
			return have, fmt.Errorf("stage %s: the answer is another range than was asked for: %q", t.blob.For, answer.Header.Get("Content-Range"))
		}
	case http.StatusNotFound:
		return have, &bundle.Error{Kind: bundle.Incomplete, Message: "The source does not have " + t.blob.For + "."}
	default:
		return have, &StatusError{Status: answer.StatusCode, After: retryAfter(answer.Header)}
	}
	return t.receive(ctx, stop, answer.Body, f, sum, have)
}

// StatusError is an answer that is neither the file nor its absence.
type StatusError struct {
	Status int
	After  time.Duration // that the server wants to be left alone
}

// Error says the status.
func (e *StatusError) Error() string { return fmt.Sprintf("the portal answered %d", e.Status) }

func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Hour)
}

// begins tells whether a Content-Range is the rest of the file from an offset on.
func begins(header string, from, size int64) bool {
	return header == fmt.Sprintf("bytes %d-%d/%d", from, size-1, size)
}

// receive copies the body as fast as is allowed. What was written stays for the
// next attempt whatever ends this one.
func (t *transfer) receive(ctx context.Context, stop context.CancelCauseFunc, body io.Reader, f *os.File, sum hash.Hash, have int64) (int64, error) {
	floor, patience := t.Floor, t.Patience
	if floor <= 0 {
		floor = 64
	}
	if patience <= 0 {
		patience = time.Minute
	}
	var since int64
	watch := make(chan int64, 1)
	done := make(chan struct{})
	defer close(done)
	go func() {
		ticks := time.NewTicker(patience)
		defer ticks.Stop()
		var came int64
		for {
			select {
			case <-done:
				return
			case n := <-watch:
				came += n
			case <-ticks.C:
				if came < floor*max(1, int64(patience/time.Second)) {
					stop(ErrSlow)
					return
				}
				came = 0
			}
		}
	}()
	buffer := make([]byte, piece)
	for have < t.blob.Size {
		if ok, _ := Allowed(t.rules, t.Now()); !ok {
			return have, ErrHours
		}
		n, err := body.Read(buffer[:min(int64(len(buffer)), t.blob.Size-have)]) // never more than was announced
		if n > 0 {
			if err := t.limit.WaitN(ctx, n); err != nil {
				return have, cause(ctx, err)
			}
			if _, err := f.Write(buffer[:n]); err != nil {
				return have, fmt.Errorf("stage %s: %w", t.blob.For, err)
			}
			sum.Write(buffer[:n])
			have += int64(n)
			since += int64(n)
			select {
			case watch <- since:
				since = 0
			default:
			}
			t.told(have)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break // the caller asks for the rest
		}
		if err != nil {
			return have, cause(ctx, err)
		}
	}
	return have, nil
}

func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}
