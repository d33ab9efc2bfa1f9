package assistant

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// plain makes foreign text safe to stand in an answer: one line, no mark-up that
// pings, links or hides, no characters that turn or cover others.
func plain(text string) string {
	var b strings.Builder
	for _, c := range text {
		switch {
		case c == '\n' || c == '\t' || c == '\r':
			b.WriteByte(' ')
		case unicode.Is(unicode.Cf, c) || unicode.IsControl(c):
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case strings.ContainsRune("[]`*_|\\", c):
			b.WriteByte('\\')
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	return strings.TrimSpace(b.String())
}

// cutLine shortens a text for a list.
func cutLine(text string, n int) string {
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	return string(r[:n-1]) + "…"
}

func link(title, url string) string {
	if url == "" {
		return title
	}
	return "[" + title + "](" + url + ")"
}

// number says how many, with the word in its form.
func number(n int, one string) string {
	word := one + "s"
	switch {
	case n == 1:
		word = one
	case strings.HasSuffix(one, "y"):
		word = strings.TrimSuffix(one, "y") + "ies"
	}
	return thousands(int64(n)) + " " + word
}

func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// moment says a time in the asker's zone.
func (a *asked) moment(t time.Time) string {
	t = t.In(a.now.Location())
	switch {
	case t.IsZero() || t.Unix() <= 0:
		return "never"
	case t.Format(time.DateOnly) == a.now.Format(time.DateOnly):
		return "today " + t.Format("15:04")
	case t.Year() == a.now.Year():
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("2 Jan 2006")
}

// shown is how many items an answer lists at most.
const shown = 20

// list writes items, and says when there are more.
func list[T any](items []T, total int, write func(T) string) string {
	var b strings.Builder
	for i, item := range items {
		if i == shown {
			break
		}
		b.WriteString("\n- " + write(item))
	}
	if n := min(len(items), shown); total > n {
		fmt.Fprintf(&b, "\n\nShowing %d of %s.", n, thousands(int64(total)))
	}
	return b.String()
}

func people(list []string) string {
	if len(list) == 0 {
		return "nobody"
	}
	return strings.Join(list, ", ")
}
