package ci

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// statusSummary is what a check at GitHub says of a build, the same for all its commits.
type statusSummary struct {
	build       buildRow
	state       string
	description string
	summary     string
	failure     *failure
	cases       []failingCase
	ended       time.Time
	aborted     bool
}

// failingCase is a test that failed, by a test report of the build.
type failingCase struct {
	Name, Message, File string
	Line                int
}

// maxCases of a report are told to GitHub; the build's page has the rest.
const maxCases = 200

func (s *Service) aboutBuild(ctx context.Context, b buildRow, status Status) (statusSummary, error) {
	out := statusSummary{build: b, state: stateOf[status], description: s.describeStatus(b, status), aborted: status == Aborted}
	if !status.Ended() {
		return out, nil
	}
	b.Status = status
	out.ended = b.EndedAt.Time()
	var err error
	if out.failure, err = s.failureOf(ctx, b); err != nil {
		// The log may be gone by now; how the build ended is still worth telling.
		s.deps.Log.WarnContext(ctx, "quoting the log of a failed build failed", "build", b.ID, "error", err)
		out.failure = nil
	}
	if s.failingCases != nil {
		if out.cases, err = s.failingCases(ctx, b.ID, maxCases); err != nil {
			return out, err
		}
	}
	return out, nil
}

// fill completes the status of one commit.
func (a statusSummary) fill(c *CommitStatus, in commitInput) {
	c.State, c.Description, c.Aborted, c.Started, c.Ended = a.state, a.description, a.aborted, a.build.StartedAt.Time(), a.ended
	if a.failure != nil && a.failure.Line > 0 {
		c.URL += "#L" + formatInt(a.failure.Line)
	}
	if !a.ended.IsZero() {
		c.Summary, c.Annotations = a.markdown(*c), a.annotations(in)
	}
}

func (a statusSummary) markdown(c CommitStatus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** build [#%s](%s): %s", strings.TrimPrefix(c.Context, "signalbox/"), a.build.Name, c.URL, a.description)
	fmt.Fprintf(&b, ", after %s.\n", a.ended.Sub(a.build.StartedAt.Time()).Round(100*time.Millisecond))
	if a.build.Untrusted {
		b.WriteString("\nIt built a commit of a fork, so it got no secrets.\n")
	}
	if len(a.cases) > 0 {
		b.WriteString("\nFailing tests:\n\n")
		for i, f := range a.cases {
			if i == 20 {
				fmt.Fprintf(&b, "- and %d more\n", len(a.cases)-i)
				break
			}
			fmt.Fprintf(&b, "- `%s`\n", strings.ReplaceAll(f.Name, "`", "'"))
		}
	}
	if f := a.failure; f != nil {
		if f.Name != "" {
			fmt.Fprintf(&b, "\nStep `%s` failed", strings.ReplaceAll(f.Name, "`", "'"))
			if f.ExitStatus != nil {
				fmt.Fprintf(&b, " with exit status %d", *f.ExitStatus)
			}
			b.WriteString(".\n")
		}
		if f.Message != "" {
			b.WriteString("\n" + f.Message + "\n")
		}
		if len(f.LastLines) > 0 {
			// Four ticks end only at four: what a log says must not end the quote.
			fmt.Fprintf(&b, "\n````\n%s\n````\n", strings.ReplaceAll(strings.Join(f.LastLines, "\n"), "````", "'```"))
		}
	}
	return b.String()
}

// annotations are the failing tests, or else the lines that the log points at.
func (a statusSummary) annotations(in commitInput) []Annotation {
	var out []Annotation
	for _, f := range a.cases {
		if p, ok := sourcePath(f.File, in); ok && f.Line > 0 {
			out = append(out, Annotation{Path: p, Line: f.Line, Title: f.Name, Message: orText(f.Message, "failed")})
		}
	}
	if len(out) > 0 || a.failure == nil {
		return out
	}
	for _, line := range a.failure.LastLines {
		m := pointer.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[2])
		p, ok := sourcePath(m[1], in)
		if err != nil || n < 1 || !ok {
			continue
		}
		found := Annotation{Path: p, Line: n, Title: a.failure.Name, Message: m[3]}
		if !slices.Contains(out, found) {
			out = append(out, found)
		}
	}
	return out
}

// pointer is how compilers and test programs say where something is wrong.
var pointer = regexp.MustCompile(`^\s*(?:\x1b\[[0-9;]*m)*([\w@+./-]+\.\w{1,10}):(\d{1,7})(?::\d+)?:?\s+(\S.*)$`)

// sourcePath is a path as the repository has it: tasks see the repository below the
// name of its input.
func sourcePath(p string, in commitInput) (string, bool) {
	if p == "" || path.IsAbs(p) || strings.Contains(p, "\\") {
		return "", false
	}
	p = path.Clean(p)
	for _, prefix := range []string{in.Name, in.Resource} {
		if rest, ok := strings.CutPrefix(p, prefix+"/"); ok && prefix != "" {
			p = rest
			break
		}
	}
	return p, p != ".." && !strings.HasPrefix(p, "../")
}
