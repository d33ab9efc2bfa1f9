package ci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// failureCard says why a build failed, since when, and whether that can be trusted.
type failureCard struct {
	Step        string      `json:"step"`
	StepKind    string      `json:"step_kind"`
	Reason      string      `json:"reason"`
	ExitCode    *int        `json:"exit_code,omitempty"`
	Lines       []string    `json:"lines"`
	LogLine     int64       `json:"log_line"`
	SameFailure sameFailure `json:"same_failure"`
	// FirstBad is the build in which this failure began; nil when it is this one.
	FirstBad *ref `json:"first_bad,omitempty"`
	Flaky    bool `json:"flaky"`
}

// sameFailure counts the builds before that failed in the same way.
type sameFailure struct {
	Count int `json:"count"`
	Of    int `json:"of"`
}

// failed reports whether a status is one of those that need an explanation.
func (s Status) failed() bool { return s == Failed || s == Errored }

// failureCardOf explains a build that failed; others are a NotFound problem.
func (s *Service) failureCardOf(ctx context.Context, b buildRow) (failureCard, error) {
	if !b.Status.failed() {
		return failureCard{}, problem.New(problem.NotFound, "Build #%s did not fail: it is %s.", b.Name, b.Status)
	}
	out, err := s.lastWords(ctx, b)
	if err != nil || b.JobID == 0 {
		return out, err
	}
	words, err := s.fingerprintOf(ctx, b.ID)
	if err != nil {
		return out, err
	}
	if words == "" { // it ended before they were kept
		words = out.fingerprint()
	}
	if out.SameFailure, err = s.countSameFailure(ctx, b.JobID, b.ID, words); err != nil {
		return out, err
	}
	if out.FirstBad, err = s.firstBad(ctx, b.JobID, b.ID, words); err != nil {
		return out, err
	}
	out.Flaky, err = s.passedWithSameInputs(ctx, b)
	return out, err
}

// lastWords is the card as far as the build itself tells.
func (s *Service) lastWords(ctx context.Context, b buildRow) (failureCard, error) {
	out := failureCard{Lines: []string{}}
	steps, err := s.failedSteps(ctx, []int64{b.ID})
	if err != nil {
		return out, err
	}
	step, ok := steps[b.ID]
	if !ok {
		out.Reason = orText(b.Message, orText(s.lastError(b.ID), "It failed without saying why."))
		return out, nil
	}
	quoted := failure{LastLines: []string{}}
	err = s.quote(b.ID, step.PlanID, &quoted)
	out.Step, out.StepKind, out.ExitCode = step.Name, step.Kind, step.ExitStatus
	out.Reason = reasonOf(step.Message, step.ExitStatus)
	out.Lines, out.LogLine = quoted.LastLines, quoted.Line
	return out, err
}

// exitReasons are what shells and kernels mean by some statuses.
var exitReasons = map[int]string{
	126: "The command could not be executed (exit status 126).",
	127: "The command was not found (exit status 127).",
	134: "The program aborted itself (exit status 134).",
	137: "The program was killed (exit status 137), most often because it used too much memory.",
	139: "The program crashed: it used memory that is not its own (exit status 139).",
	143: "The program was asked to end (exit status 143).",
}

func reasonOf(message string, exit *int) string {
	switch {
	case message != "":
		return message
	case exit == nil:
		return "It failed without saying why."
	case exitReasons[*exit] != "":
		return exitReasons[*exit]
	}
	return fmt.Sprintf("It exited with status %d.", *exit)
}

// fingerprint is equal for two builds that failed in the same way: in the same step
// and with the same words, whatever their numbers, times, hashes and colours.
func (c failureCard) fingerprint() string {
	h := sha256.New()
	for _, part := range append([]string{c.StepKind, c.Step, steady(c.Reason)}, telling(c.Lines)...) {
		fmt.Fprintf(h, "%d %s\n", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

var (
	escapes  = regexp.MustCompile(`\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)`)
	hashes   = regexp.MustCompile(`(?i)\b(?:0x)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]*[0-9][0-9a-f]{6,}|[0-9a-f]{7,}[0-9][0-9a-f]*)\b`)
	amounts  = regexp.MustCompile(`[0-9]+(?:[.,:][0-9]+)*(?:\s?(?:ns|µs|us|ms|secs?|seconds?|s|mins?|minutes?|m|h|[kKMG]i?B)\b)?`)
	alarming = regexp.MustCompile(`(?i)error|fail|fatal|panic|exception|denied|not found|cannot|unable|refused|timed? ?out|undefined|assert`)
)

// steady is a line without what differs from run to run.
func steady(line string) string {
	if i := strings.LastIndexByte(strings.TrimRight(line, "\r"), '\r'); i >= 0 {
		line = line[i+1:] // what a progress bar left standing
	}
	line = escapes.ReplaceAllString(line, "")
	line = amounts.ReplaceAllString(hashes.ReplaceAllString(line, "#"), "#")
	return strings.Join(strings.Fields(line), " ")
}

// tellingLines is how many of the last lines count when none of them looks like the reason.
const tellingLines = 5

// telling are the lines that look like the reason, once each, else the last ones.
func telling(lines []string) []string {
	var all, bad []string
	for _, line := range lines {
		line = steady(line)
		if line == "" || slices.Contains(bad, line) {
			continue
		}
		if all = append(all, line); alarming.MatchString(line) {
			bad = append(bad, line)
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return all[max(len(all)-tellingLines, 0):]
}

// noteFailure keeps the fingerprint of a build that fails, in the transaction that
// ends it. A log that cannot be read must not keep a build from ending.
func (s *Service) noteFailure(ctx context.Context, b buildRow, status Status, message string) error {
	if !status.failed() || b.JobID == 0 {
		return nil
	}
	b.Status, b.Message = status, message
	card, err := s.lastWords(ctx, b)
	if err != nil {
		s.deps.Log.WarnContext(ctx, "reading why a build failed failed", "build", b.ID, "error", err)
		return nil
	}
	return s.insertFingerprint(ctx, b.ID, card.fingerprint())
}
