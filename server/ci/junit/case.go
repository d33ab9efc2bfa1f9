package junit

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// State is how a case ended; the words are stored and shown.
type State string

// The states of a case.
const (
	Passed  State = "passed"
	Failed  State = "failed"  // an expectation did not hold
	Errored State = "errored" // it broke in another way
	Skipped State = "skipped"
)

// Bad reports whether the case says that something is wrong.
func (s State) Bad() bool { return s == Failed || s == Errored }

// Case is one test case. Its texts are valid UTF-8 and bounded.
type Case struct {
	// Suite is the name of the innermost suite that has one.
	Suite string
	Class string
	Name  string
	State State
	// Duration is 0 when the report does not say.
	Duration time.Duration
	// Message is one paragraph: what the runner says of a failure, or why it skipped.
	Message string
	// Output is the trace of a failure and what the case printed; only of bad cases.
	Output string
	File   string
	Line   int
	// Flaky is set when the report itself tells of tries that ended differently.
	Flaky bool
}

// The bounds of texts, in bytes.
const (
	maxName    = 1 << 10
	maxMessage = 4 << 10
	maxOutput  = 64 << 10
)

// clip cuts a text at a rune and says that it did.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const mark = "…"
	cut := limit - len(mark)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + mark
}

// seconds reads a duration: "0.25", and "1,234.5" as Surefire writes it.
func seconds(text string) time.Duration {
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return 0
	}
	const most = 1000 * 24 * time.Hour
	if f >= most.Seconds() {
		return most
	}
	return time.Duration(f * float64(time.Second))
}

// place finds where a trace says that the test is, for runners that do not say it
// in attributes: Go and pytest.
var place = regexp.MustCompile(`(?m)^\s*([^\s:]+(?:_test\.go|\.py)):(\d+):`)

// finish settles what several elements of a case say together.
func (c *Case) finish() {
	if !c.State.Bad() {
		c.Output = ""
		return
	}
	if c.Message == "" || c.Message == "Failed" { // which gotestsum says of each
		c.Message = orElse(firstLine(place.FindString(c.Output)+restOfLine(c.Output)), orElse(firstLine(c.Output), c.Message))
	}
	if c.File != "" && c.Line != 0 {
		return
	}
	if found := place.FindStringSubmatch(c.Output); found != nil && (c.File == "" || strings.HasSuffix(c.File, found[1])) {
		if c.File == "" {
			c.File = clip(found[1], maxName)
		}
		c.Line = lineNumber(found[2])
	}
}

// restOfLine is what follows a place, where Go's tests say what is wrong.
func restOfLine(output string) string {
	found := place.FindStringIndex(output)
	if found == nil {
		return ""
	}
	rest, _, _ := strings.Cut(output[found[1]:], "\n")
	return rest
}

func lineNumber(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return n
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			return clip(line, maxMessage)
		}
	}
	return ""
}
