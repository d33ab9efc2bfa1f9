package vars

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// Redacted stands in a log where a secret was.
const Redacted = "((redacted))"

// Redact replaces all tracked values in a finished text.
func (t *Tracker) Redact(text string) string {
	var out bytes.Buffer
	r := t.Redactor(&out)
	// Writing to a bytes.Buffer does not fail.
	_, _ = r.Write([]byte(text))
	_ = r.Flush()
	return out.String()
}

// Redactor gives a writer that passes text on to w with tracked values
// replaced, also where a value is spread over several writes. Values that are
// tracked later are replaced from then on.
func (t *Tracker) Redactor(w io.Writer) *Redactor { return &Redactor{tracker: t, out: w} }

// Redactor holds text back only while it could be the beginning of a value.
// It is not safe for use by several goroutines.
type Redactor struct {
	tracker *Tracker
	out     io.Writer
	held    []byte
}

// Write passes p on, apart from a tail that may become a value.
func (r *Redactor) Write(p []byte) (int, error) {
	return len(p), r.pass(p, false)
}

// Flush passes on what is held back, for instance when nothing came for a
// while or at the end.
func (r *Redactor) Flush() error { return r.pass(nil, true) }

func (r *Redactor) pass(p []byte, final bool) error {
	text := p
	if len(r.held) > 0 {
		text = append(r.held, p...)
	}
	clean, rest := r.tracker.needles().replace(text, final)
	r.held = append([]byte(nil), rest...)
	if len(clean) == 0 {
		return nil
	}
	_, err := r.out.Write(clean)
	return err
}

// needles are the texts to replace, by their first byte, longest first.
type needles struct {
	byFirst [256][]string
	any     bool
}

func newNeedles(values map[string]bool) *needles {
	n := &needles{}
	seen := map[string]bool{}
	add := func(text string) {
		if text != "" && !seen[text] {
			seen[text] = true
			n.any = true
			n.byFirst[text[0]] = append(n.byFirst[text[0]], text)
		}
	}
	for value := range values {
		add(strings.TrimRight(value, "\r\n"))
		lines := strings.Split(value, "\n")
		if len(lines) == 1 {
			continue
		}
		for _, line := range lines {
			// A terminal ends lines in \r\n, so a value of several lines is found
			// line by line. Lone braces of a JSON value are not secret.
			if line = strings.TrimSpace(line); len(line) > 1 {
				add(line)
			}
		}
	}
	for _, list := range n.byFirst {
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return n
}

// replace gives the text with needles replaced, and the rest that must wait for
// more text unless it is final.
func (n *needles) replace(text []byte, final bool) (clean, rest []byte) {
	if !n.any {
		return text, nil
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		list := n.byFirst[text[i]]
		size, wait := match(text[i:], list)
		if wait && !final {
			return out, text[i:]
		}
		if size == 0 {
			out = append(out, text[i])
			i++
			continue
		}
		out = append(out, Redacted...)
		i += size
	}
	return out, nil
}

// match gives the length of the longest needle that text starts with. wait says
// that a longer one may still come.
func match(text []byte, list []string) (size int, wait bool) {
	for _, needle := range list {
		if len(needle) > len(text) {
			wait = wait || needle[:len(text)] == string(text)
			continue
		}
		if string(text[:len(needle)]) == needle {
			return len(needle), wait
		}
	}
	return 0, wait
}
