package junit

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits bound a report.
type Limits struct {
	// Bytes of one file, and cases in it.
	Bytes int64
	Cases int
}

// maxDepth is how deep elements may lie; the deepest known writer needs seven.
const maxDepth = 64

// The ways in which a file is no report, or not all of one.
var (
	ErrFormat   = errors.New("is not a JUnit report")
	ErrTooLarge = errors.New("is larger than a test report may be")
	ErrTooMany  = errors.New("has more test cases than a report may have")
)

// Parse calls fn for each case, in order. After an error what was told before stands:
// a runner that was killed leaves half a report, and half is better than none.
func Parse(r io.Reader, limits Limits, fn func(Case) error) error {
	bounded := &boundedReader{r: r, left: limits.Bytes}
	d := xml.NewDecoder(newCleaner(bounded))
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // the cleaner did it
	p := &parser{emit: fn, left: limits.Cases}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && p.seenRoot {
			return nil
		}
		if err != nil {
			return explain(err, bounded, p.seenRoot)
		}
		if err := p.token(token); err != nil {
			return err
		}
	}
}

func explain(err error, r *boundedReader, seenRoot bool) error {
	switch {
	case r.over:
		return ErrTooLarge
	case r.err != nil:
		return fmt.Errorf("cannot be read: %w", r.err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it is empty", ErrFormat)
	case seenRoot:
		return fmt.Errorf("breaks off or is not well-formed: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

// boundedReader tells its own errors from those of the XML.
type boundedReader struct {
	r    io.Reader
	left int64
	over bool
	err  error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		var one [1]byte
		n, err := b.r.Read(one[:])
		if b.over = n > 0; b.over {
			return 0, ErrTooLarge
		}
		return 0, err
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// suite is an open testsuite.
type suite struct{ name, file string }

// parser follows the elements of a report.
type parser struct {
	emit     func(Case) error
	left     int
	depth    int
	seenRoot bool
	suites   []suite
	// current is the open testcase, at caseDepth.
	current   *Case
	caseDepth int
	// text is what the open element below the case collects; nil to pass over.
	text  *strings.Builder
	found string // the element that text is of
	// output collects what a case prints, apart from its traces.
	trace, printed strings.Builder
}

func (p *parser) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		p.depth++
		if p.depth > maxDepth {
			return fmt.Errorf("%w: its elements are more than %d deep", ErrFormat, maxDepth)
		}
		return p.start(t)
	case xml.EndElement:
		p.depth--
		return p.end(t.Name.Local)
	case xml.CharData:
		if room := maxOutput - p.collected(); p.text != nil && room > 0 {
			p.text.Write(t[:min(len(t), room+4)])
		}
	}
	return nil
}

func (p *parser) collected() int {
	if p.text == nil {
		return 0
	}
	return p.text.Len()
}

func attributes(t xml.StartElement) map[string]string {
	out := make(map[string]string, len(t.Attr))
	for _, a := range t.Attr {
		out[strings.ToLower(a.Name.Local)] = a.Value
	}
	return out
}

func (p *parser) start(t xml.StartElement) error {
	name := t.Name.Local
	if !p.seenRoot {
		if name != "testsuites" && name != "testsuite" {
			return fmt.Errorf("%w: its first element is <%s>", ErrFormat, clip(name, 60))
		}
		p.seenRoot = true
	}
	if p.current != nil {
		p.child(name, attributes(t))
		return nil
	}
	switch name {
	case "testsuite":
		a := attributes(t)
		p.suites = append(p.suites, suite{clip(a["name"], maxName), clip(orElse(a["file"], a["filepath"]), maxName)})
	case "testcase":
		return p.open(attributes(t))
	case "failure", "error":
		// Of a whole suite: its set-up, or a file that did not compile.
		if len(p.suites) == 0 {
			return nil
		}
		if err := p.open(map[string]string{"name": "(suite)"}); err != nil {
			return err
		}
		p.caseDepth = p.depth
		p.child(name, attributes(t))
	}
	return nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// open begins a case.
func (p *parser) open(a map[string]string) error {
	if p.left <= 0 {
		return ErrTooMany
	}
	p.left--
	c := &Case{Class: clip(orElse(a["classname"], a["class"]), maxName), Name: clip(a["name"], maxName), State: Passed,
		Duration: seconds(a["time"]), File: clip(orElse(a["file"], a["filepath"]), maxName), Line: lineNumber(a["line"])}
	for _, s := range p.suites {
		c.Suite = orElse(s.name, c.Suite)
		if a["file"] == "" {
			c.File = orElse(s.file, c.File)
		}
	}
	switch strings.ToLower(orElse(a["result"], a["status"])) {
	case "skipped", "disabled", "ignored", "notrun", "suppressed", "pending", "todo":
		c.State = Skipped
	case "failed", "failure":
		c.State = Failed
	case "error", "errored":
		c.State = Errored
	}
	p.current, p.caseDepth = c, p.depth
	p.trace.Reset()
	p.printed.Reset()
	return nil
}

// child takes an element within a case.
func (p *parser) child(name string, a map[string]string) {
	c := p.current
	switch name {
	case "failure", "error":
		if c.State != Errored {
			c.State = map[string]State{"failure": Failed, "error": Errored}[name]
		}
		if c.Message == "" {
			c.Message = clip(strings.TrimSpace(a["message"]), maxMessage)
		}
		p.text, p.found = &p.trace, name
	case "skipped":
		if !c.State.Bad() {
			c.State = Skipped
			c.Message = clip(strings.TrimSpace(a["message"]), maxMessage)
		}
	case "flakyFailure", "flakyError", "rerunFailure", "rerunError":
		// Surefire: a case that passed after these, or failed each time.
		c.Flaky = c.Flaky || strings.HasPrefix(name, "flaky")
	case "system-out", "system-err":
		if p.text == nil { // those of a rerun are within it
			p.text, p.found = &p.printed, name
		}
	}
}

func (p *parser) end(name string) error {
	if p.text != nil && name == p.found {
		p.text.WriteString("\n")
		p.text = nil
	}
	if p.current != nil && p.depth < p.caseDepth {
		c := p.current
		p.current, p.text = nil, nil
		if c.State.Bad() {
			c.Output = p.output()
		}
		c.finish()
		return p.emit(*c)
	}
	if name == "testsuite" && p.current == nil && len(p.suites) > 0 {
		p.suites = p.suites[:len(p.suites)-1]
	}
	return nil
}

// output joins traces and prints; of too long prints the end is kept.
func (p *parser) output() string {
	trace := strings.TrimRight(p.trace.String(), " \t\r\n")
	printed := strings.TrimRight(p.printed.String(), " \t\r\n")
	if printed != "" && !strings.Contains(trace, printed) {
		if trace != "" {
			trace += "\n\n"
		}
		trace += printed
	}
	return clip(strings.ToValidUTF8(strings.Trim(trace, "\r\n"), "\uFFFD"), maxOutput)
}
