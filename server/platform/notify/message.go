package notify

import (
	"strings"
	"unicode/utf8"
)

// Event is the name of something that channels can ask for, such as "build.failed".
type Event string

// Message is what is told. All of it is plain text.
type Message struct {
	Event Event  `json:"event"`
	Title string `json:"title"`
	// Text is a sentence or two, "" when the title says all.
	Text string `json:"text"`
	// Pipeline decides which channels want it; "" reaches those without a filter.
	Pipeline string `json:"pipeline"`
	// Lines are quoted as they are, such as the end of a log.
	Lines []string `json:"lines"`
	// URL leads to the page that shows more.
	URL string `json:"url"`
	// Rule is what caused it: a capability's word, a colon and the rule's own id there.
	Rule string `json:"rule,omitempty"`
	// Subject is what it is about, in the team's whole world: "build web/unit". Messages of
	// one rule and subject are of the same kind.
	Subject string `json:"subject,omitempty"`
	// Good says that what the subject was about is over.
	Good bool `json:"good,omitempty"`
	// Now lets nothing hold it: somebody waits for it.
	Now bool `json:"-"`
	// Count is how many messages it stands for; 0 is itself.
	Count int64 `json:"count,omitempty"`
}

// kind is the subject as messages are grouped: that something is over is another kind.
func (m Message) kind() string {
	if m.Good {
		return m.Subject + " (over)"
	}
	return m.Subject
}

const (
	maxTitle = 300
	maxText  = 2000
	maxLines = 30
	maxLine  = 500
)

// bounded cuts what would not fit into a mail subject or a Slack block. Lines lose
// what terminals would make of control characters.
func (m Message) bounded() Message {
	m.Title = cut(oneLine(m.Title), maxTitle)
	m.Text = cut(m.Text, maxText)
	m.Subject = cut(m.Subject, maxTitle)
	lines := m.Lines[max(len(m.Lines)-maxLines, 0):]
	m.Lines = make([]string, len(lines))
	for i, line := range lines {
		m.Lines[i] = cut(plain(line), maxLine)
	}
	return m
}

func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

func oneLine(text string) string { return strings.Join(strings.Fields(plain(text)), " ") }

// plain drops escape sequences and control characters.
func plain(line string) string {
	var out strings.Builder
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		switch {
		case r == 0x1b:
			i += escapeLength(line[i:])
			continue
		case r == '\t' || r == '\n' || r == '\r':
			out.WriteByte(' ')
		case r >= ' ' && r != 0x7f:
			out.WriteRune(r)
		}
		i += size
	}
	return strings.TrimRight(out.String(), " ")
}

// escapeLength is how long the escape sequence at the beginning of text is.
func escapeLength(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[': // ends with a letter or one of @^_`{|}~
		for i := 2; i < len(text); i++ {
			if text[i] >= 0x40 && text[i] <= 0x7e {
				return i + 1
			}
		}
		return len(text)
	case ']': // ends with BEL or ESC \
		for i := 2; i < len(text); i++ {
			if text[i] == 7 {
				return i + 1
			}
			if text[i] == 0x1b {
				return min(i+2, len(text))
			}
		}
		return len(text)
	}
	return 2
}
