package ci

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/signalbox/signalbox/server/ci/junit"
)

// A build's test reports are kept twofold: cases that say that something is wrong are
// rows, so that their history can be asked for; the others, often many thousands that
// nobody looks at, are lines of compressed JSON.

// The bounds of the reports of one build.
const (
	maxReportBytes  = 64 << 20
	maxReportCases  = 200_000
	maxReportedBad  = 10_000
	maxReportOutput = 32 << 20
	// chunkCases is how many cases are compressed together.
	chunkCases = 5000
)

// caseKey is what a case is known by from build to build.
type caseKey [16]byte

func keyOf(suite, class, name string) (key caseKey) {
	h := sha256.New()
	for _, part := range []string{suite, class, name} {
		fmt.Fprintf(h, "%d %s\n", len(part), part)
	}
	copy(key[:], h.Sum(nil))
	return key
}

func (k caseKey) text() string { return hex.EncodeToString(k[:]) }

// quietCase is a case that passed or was skipped, as it is stored.
type quietCase struct {
	Suite    string `json:"s,omitempty"`
	Class    string `json:"c,omitempty"`
	Name     string `json:"n,omitempty"`
	Skipped  bool   `json:"k,omitempty"`
	Duration int64  `json:"d,omitempty"`
	Message  string `json:"m,omitempty"`
	File     string `json:"f,omitempty"`
	Line     int    `json:"l,omitempty"`
	Flaky    bool   `json:"y,omitempty"`
}

func (q quietCase) key() caseKey { return keyOf(q.Suite, q.Class, q.Name) }

func (q quietCase) state() junit.State {
	if q.Skipped {
		return junit.Skipped
	}
	return junit.Passed
}

// reportSums count the cases of a build.
type reportSums struct {
	Total      int64 `json:"total"`
	Passed     int64 `json:"passed"`
	Failed     int64 `json:"failed"`
	Errored    int64 `json:"errored"`
	Skipped    int64 `json:"skipped"`
	DurationMS int64 `json:"duration_ms"`
}

func (s *reportSums) add(c junit.Case) {
	s.Total++
	s.DurationMS += c.Duration.Milliseconds()
	switch c.State {
	case junit.Failed:
		s.Failed++
	case junit.Errored:
		s.Errored++
	case junit.Skipped:
		s.Skipped++
	default:
		s.Passed++
	}
}

// testReport gathers what all reports of a build say.
type testReport struct {
	build    int64
	sums     reportSums
	bad      []testFailureRow
	badKeys  map[caseKey]bool
	passed   map[caseKey]bool
	chunks   []testOthersRow
	output   int
	unlisted int
	problems []string
	// looked are the other builds whose cases were compared, and passedElsewhere the bad
	// cases that passed in one of them.
	looked          map[int64]bool
	passedElsewhere map[caseKey]bool

	raw     bytes.Buffer
	packed  *gzip.Writer
	pending int64
}

func newTestReport(build int64) *testReport {
	return &testReport{build: build, badKeys: map[caseKey]bool{}, passed: map[caseKey]bool{}, looked: map[int64]bool{}, passedElsewhere: map[caseKey]bool{}}
}

// errFull ends the reading of all reports.
var errFull = errors.New("the reports of a build have too many cases")

// read takes a file in; what is wrong with it becomes a problem, and what was read
// until then is kept. The error is errFull.
func (r *testReport) read(f collectedFile) error {
	content, err := f.Open()
	if err != nil {
		r.problems = append(r.problems, fmt.Sprintf("%s could not be read: %s.", f.Path, err))
		return nil
	}
	err = junit.Parse(content, junit.Limits{Bytes: maxReportBytes, Cases: maxReportCases}, r.add)
	_ = content.Close() // it was only read
	switch {
	case errors.Is(err, errFull):
		return err
	case err != nil:
		r.problems = append(r.problems, fmt.Sprintf("%s %s.", f.Path, strings.TrimSuffix(err.Error(), ".")))
	}
	return nil
}

func (r *testReport) add(c junit.Case) error {
	if r.sums.Total >= maxReportCases {
		return errFull
	}
	r.sums.add(c)
	key := keyOf(c.Suite, c.Class, c.Name)
	if c.State.Bad() {
		r.addBad(c, key)
		return nil
	}
	if c.State == junit.Passed {
		r.passed[key] = true
	}
	return r.addQuiet(quietCase{Suite: c.Suite, Class: c.Class, Name: c.Name, Skipped: c.State == junit.Skipped, Duration: c.Duration.Milliseconds(),
		Message: c.Message, File: c.File, Line: c.Line, Flaky: c.Flaky})
}

// addBad keeps a case that failed, and its output while there is room for that.
func (r *testReport) addBad(c junit.Case, key caseKey) {
	r.badKeys[key] = true
	if len(r.bad) == maxReportedBad {
		r.unlisted++
		return
	}
	if r.output += len(c.Output); r.output > maxReportOutput {
		c.Output = ""
	}
	r.bad = append(r.bad, testFailureRow{BuildID: r.build, Place: int64(len(r.bad)), CaseKey: key.text(), Suite: c.Suite, Class: c.Class, Name: c.Name,
		State: c.State, DurationMS: c.Duration.Milliseconds(), Message: c.Message, Output: c.Output, File: c.File, Line: int64(c.Line), Flaky: c.Flaky})
}

func (r *testReport) addQuiet(q quietCase) error {
	if r.packed == nil {
		r.raw.Reset()
		r.packed = gzip.NewWriter(&r.raw)
	}
	if err := json.NewEncoder(r.packed).Encode(q); err != nil {
		return err
	}
	if r.pending++; r.pending < chunkCases {
		return nil
	}
	return r.flush()
}

// flush ends a chunk.
func (r *testReport) flush() error {
	if r.packed == nil {
		return nil
	}
	err := r.packed.Close()
	r.chunks = append(r.chunks, testOthersRow{BuildID: r.build, Chunk: int64(len(r.chunks)), Cases: r.pending, Data: bytes.Clone(r.raw.Bytes())})
	r.packed, r.pending = nil, 0
	return err
}

// unpack gives the cases of a chunk to fn until it says false.
func unpack(data []byte, fn func(quietCase) bool) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	for d := json.NewDecoder(unzipped); ; {
		var q quietCase
		if err := d.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !fn(q) {
			return nil
		}
	}
}

// readReports reads the cases of a build's reports, and what builds of the same inputs
// say of them.
func (s *Service) readReports(ctx context.Context, b buildRow, files []collectedFile) (keepRead, []string, error) {
	r := newTestReport(b.ID)
	for _, f := range files {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err := r.read(f); err != nil {
			r.problems = append(r.problems, fmt.Sprintf("The reports have more than %d test cases; those after are not kept, beginning in %s.", maxReportCases, f.Path))
			break
		}
	}
	if r.unlisted > 0 {
		r.problems = append(r.problems, fmt.Sprintf("More than %d test cases failed; %d further ones are counted and not listed.", maxReportedBad, r.unlisted))
	}
	if err := r.flush(); err != nil || r.sums.Total == 0 {
		return nil, r.problems, err
	}
	siblings, err := s.siblings(ctx, b)
	if err == nil {
		err = s.lookUp(ctx, r, siblings)
	}
	return func(ctx context.Context) error { return s.keepReports(ctx, b, r) }, r.problems, err
}

// keepReports stores the cases of a build's reports.
func (s *Service) keepReports(ctx context.Context, b buildRow, r *testReport) error {
	if err := s.setReportSums(ctx, b.ID, r.sums); err != nil {
		return err
	}
	if err := s.followStreaks(ctx, b, r); err != nil {
		return err
	}
	if err := s.compareWithSiblings(ctx, b, r); err != nil {
		return err
	}
	return s.insertCases(ctx, r.bad, r.chunks)
}

// followStreaks finds since when each bad case fails and ends the streaks of those
// that passed. Skipping a case, or leaving it out, does not end its streak.
func (s *Service) followStreaks(ctx context.Context, b buildRow, r *testReport) error {
	known, err := s.streaks(ctx, b.JobID)
	if err != nil {
		return err
	}
	since := map[string]int64{}
	for i, row := range r.bad {
		first, ok := known[row.CaseKey]
		if !ok || first > b.ID { // an older build may end after a newer one
			first = b.ID
			since[row.CaseKey] = first
		}
		r.bad[i].SinceID = first
	}
	var ended []string
	for key := range r.passed {
		if first, ok := known[key.text()]; ok && !r.badKeys[key] && first <= b.ID {
			ended = append(ended, key.text())
		}
	}
	return s.changeStreaks(ctx, b.JobID, since, ended)
}

// comparedSiblings is how many builds of the same inputs are compared case by case.
const comparedSiblings = 10

// lookUp finds which of the report's bad cases passed in other builds, of those that it
// has not looked at before.
func (s *Service) lookUp(ctx context.Context, r *testReport, siblings []int64) error {
	for _, id := range siblings[:min(len(siblings), comparedSiblings)] {
		if len(r.bad) == 0 || r.looked[id] {
			continue
		}
		sums, err := s.reportSums(ctx, id)
		if err != nil {
			return err
		}
		err = s.eachQuiet(ctx, id, func(q quietCase) bool {
			if key := q.key(); !q.Skipped && r.badKeys[key] {
				r.passedElsewhere[key] = true
			}
			return ctx.Err() == nil
		})
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		r.looked[id] = sums.Total > 0 // else its reports may be stored meanwhile
	}
	return nil
}

// compareWithSiblings marks as flaky what both passed and failed for the same inputs,
// here and in the other builds. Only builds that ended after the report was read are
// looked at in the transaction.
func (s *Service) compareWithSiblings(ctx context.Context, b buildRow, r *testReport) error {
	siblings, err := s.siblings(ctx, b)
	if err != nil {
		return err
	}
	if err := s.lookUp(ctx, r, siblings); err != nil {
		return err
	}
	if len(r.passed) > 0 {
		for _, id := range siblings[:min(len(siblings), comparedSiblings)] {
			if err := s.markFlaky(ctx, id, r.passed); err != nil {
				return err
			}
		}
	}
	for i, row := range r.bad {
		key := keyOf(row.Suite, row.Class, row.Name)
		// r.passed: another try within this build.
		r.bad[i].Flaky = row.Flaky || r.passedElsewhere[key] || r.passed[key]
	}
	return nil
}

// testCase is a case as our own API shows it.
type testCase struct {
	Suite        string      `json:"suite"`
	Class        string      `json:"class"`
	Name         string      `json:"name"`
	State        junit.State `json:"state"`
	DurationMS   int64       `json:"duration_ms"`
	Message      string      `json:"message"`
	Output       string      `json:"output"`
	File         string      `json:"file"`
	Line         int64       `json:"line"`
	Flaky        bool        `json:"flaky,omitempty"`
	FailingSince *ref        `json:"failing_since,omitempty"`
}

type testPage struct {
	reportSums
	Cases []testCase `json:"cases"`
	// Next is the page that follows; 0 when this is the last.
	Next int `json:"next,omitempty"`
}

// testFilter selects cases; its zero fields select all.
type testFilter struct {
	State junit.State
	Text  string
	Page  int
}

// pageCases is how many cases a page has.
const pageCases = 100

// matches reports whether the case is of the state and has the text in a name.
func (f testFilter) matches(state junit.State, suite, class, name string) bool {
	if f.State != "" && f.State != state {
		return false
	}
	if f.Text == "" {
		return true
	}
	text := strings.ToLower(f.Text)
	for _, part := range []string{name, class, suite} {
		if strings.Contains(strings.ToLower(part), text) {
			return true
		}
	}
	return false
}

// window counts what comes before a page, on it, and whether something comes after.
type window struct {
	skip, room int
	more       bool
}

// take reports whether the next case is on the page.
func (w *window) take() bool {
	switch {
	case w.skip > 0:
		w.skip--
	case w.room > 0:
		w.room--
		return true
	default:
		w.more = true
	}
	return false
}

// testsOf is a page of a build's cases: those that failed first.
func (s *Service) testsOf(ctx context.Context, build int64, f testFilter) (testPage, error) {
	out := testPage{Cases: []testCase{}}
	var err error
	if out.reportSums, err = s.reportSums(ctx, build); err != nil || out.Total == 0 {
		return out, err
	}
	w := &window{skip: (f.Page - 1) * pageCases, room: pageCases}
	if f.State == "" || f.State.Bad() {
		if err := s.addBadCases(ctx, build, f, w, &out); err != nil {
			return out, err
		}
	}
	if !w.more && !f.State.Bad() {
		if err := s.addQuietCases(ctx, build, f, w, &out); err != nil {
			return out, err
		}
	}
	if w.more {
		out.Next = f.Page + 1
	}
	return out, nil
}

func (s *Service) addBadCases(ctx context.Context, build int64, f testFilter, w *window, out *testPage) error {
	heads, err := s.failureHeads(ctx, build)
	if err != nil {
		return err
	}
	var places []int64
	for _, h := range heads {
		if f.matches(h.State, h.Suite, h.Class, h.Name) && w.take() {
			places = append(places, h.Place)
		}
	}
	rows, err := s.testFailures(ctx, build, places)
	for _, listed := range rows {
		r := listed.Row
		shown := testCase{Suite: r.Suite, Class: r.Class, Name: r.Name, State: r.State, DurationMS: r.DurationMS, Message: r.Message, Output: r.Output,
			File: r.File, Line: r.Line, Flaky: r.Flaky}
		if r.SinceID != build && listed.SinceName != "" {
			shown.FailingSince = refTo(r.SinceID, listed.SinceName)
		}
		out.Cases = append(out.Cases, shown)
	}
	return err
}

func (s *Service) addQuietCases(ctx context.Context, build int64, f testFilter, w *window, out *testPage) error {
	chunks, err := s.testChunks(ctx, build)
	if err != nil {
		return err
	}
	for _, c := range chunks {
		if f.State == "" && f.Text == "" && int64(w.skip) >= c.Cases {
			w.skip -= int(c.Cases)
			continue
		}
		data, err := s.testChunk(ctx, build, c.Chunk)
		if err != nil {
			return err
		}
		err = unpack(data, func(q quietCase) bool {
			if f.matches(q.state(), q.Suite, q.Class, q.Name) && w.take() {
				out.Cases = append(out.Cases, testCase{Suite: q.Suite, Class: q.Class, Name: q.Name, State: q.state(), DurationMS: q.Duration,
					Message: q.Message, File: q.File, Line: int64(q.Line), Flaky: q.Flaky})
			}
			return !w.more
		})
		if err != nil || w.more {
			return err
		}
	}
	return nil
}
