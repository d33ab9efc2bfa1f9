package grouping

import (
	"strings"
)

// Parameterise replaces what varies in a message: numbers, hex, UUIDs, IP
// addresses, e-mail addresses, URLs, dates, durations, sizes, quoted text and tokens.
// It works word by word instead of with regular expressions because it runs
// for every message that comes in.
func Parameterise(s string) string {
	const most = 2048
	if len(s) > most {
		s = s[:most]
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		c := s[i]
		if isQuote(c) && (i == 0 || !wordByte(s[i-1])) {
			if n := quoted(s[i:]); n > 0 {
				b.WriteString("<text>")
				i += n
				continue
			}
		}
		if !chunkByte(c) {
			b.WriteByte(c)
			i++
			continue
		}
		j := i
		for j < len(s) && chunkByte(s[j]) {
			j++
		}
		chunk(&b, s[i:j])
		i = j
	}
	return strings.ToValidUTF8(strings.Join(strings.Fields(b.String()), " "), "\uFFFD")
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

// chunkByte: what may stand inside an address, a date or an identifier.
func chunkByte(c byte) bool {
	if wordByte(c) {
		return true
	}
	switch c {
	case '.', ':', '@', '/', '-', '+', '%', '#', '&', '~', '\\', '?', '=':
		return true
	}
	return false
}

// quoted gives the length of the quoted text at the start of s, 0 when the
// quote does not end where a quotation could.
func quoted(s string) int {
	end := strings.IndexByte(s[1:], s[0])
	if end < 0 {
		return 0
	}
	n := end + 2
	if n < len(s) && wordByte(s[n]) || strings.IndexByte(s[:n], '\n') >= 0 {
		return 0
	}
	return n
}

// maxTested: a longer word is no address, date or number as a whole.
const maxTested = 256

// chunk writes a word or its placeholder; punctuation at the end is kept. A
// word that is nothing as a whole ("id=42", "user:bob@example.org",
// "orders/42") is tried from each separator on.
func chunk(b *strings.Builder, s string) {
	word := strings.TrimRight(s, ".:?=")
	rest := s[len(word):]
	for {
		if len(word) <= maxTested || strings.Contains(word[:16], "://") {
			if p := placeholder(word); p != "" {
				b.WriteString(p)
				break
			}
		}
		i := strings.IndexAny(word, "=:/&?#\\")
		if i < 0 {
			part(b, word)
			break
		}
		part(b, word[:i])
		b.WriteByte(word[i])
		word = word[i+1:]
	}
	b.WriteString(rest)
}

// part writes a word without separators, its numbers masked.
func part(b *strings.Builder, s string) {
	if p := placeholder(s); p != "" {
		b.WriteString(p)
		return
	}
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			b.WriteByte(s[i])
			i++
			continue
		}
		for i < len(s) && (s[i] >= '0' && s[i] <= '9') {
			i++
		}
		b.WriteString("<n>")
	}
}

// placeholder names what the whole word is; empty for an ordinary word.
func placeholder(s string) string {
	digits, hexes, letters, dots, dashes, colons := survey(s)
	switch {
	case digits == 0 && dots == 0 && colons < 2 && len(s) < 16:
		return "" // most words
	case strings.Contains(s, "://"):
		return "<url>"
	case isEmail(s):
		return "<email>"
	case digits == 0 && len(s) >= 32 && hexes == len(s):
		return "<hex>"
	case digits == 0:
		return ""
	case len(s) == 36 && dashes == 4 && hexes == 32:
		return "<uuid>"
	case isNumber(s):
		return "<n>"
	case isIPv4(s), colons >= 2 && hexes+colons+dots == len(s) && !isClock(s):
		return "<ip>"
	case isDate(s), isClock(s):
		return "<time>"
	case isDuration(s):
		return "<amount>"
	case len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && hexes >= len(s)-1:
		return "<hex>"
	case len(s) >= 8 && hexes == len(s):
		return "<hex>"
	case len(s) >= 20 && letters+digits+dashes+strings.Count(s, "_") == len(s) && digits >= 2 && mixed(s):
		return "<token>"
	}
	return ""
}

func survey(s string) (digits, hexes, letters, dots, dashes, colons int) {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digits++
			hexes++
		case 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			hexes++
			letters++
		case 'g' <= c && c <= 'z' || 'G' <= c && c <= 'Z':
			letters++
		case c == '.':
			dots++
		case c == '-':
			dashes++
		case c == ':':
			colons++
		}
	}
	return
}

func isEmail(s string) bool {
	name, host, ok := strings.Cut(s, "@")
	return ok && name != "" && !strings.ContainsAny(name, "/:=") && strings.Contains(host, ".") && !strings.ContainsAny(host, "@/=")
}

// isNumber accepts 1, -1.5, 12%, 1e9, 1_000.
func isNumber(s string) bool {
	s = strings.TrimRight(strings.TrimLeft(s, "+-"), "%")
	if s == "" || s[0] < '0' || s[0] > '9' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || c == '.' || c == '_' || (c == 'e' || c == 'E') && i > 0 && i+1 < len(s) ||
			(c == '-' || c == '+') && (s[i-1] == 'e' || s[i-1] == 'E')) {
			return false
		}
	}
	return strings.Count(s, ".") <= 1
}

// isIPv4 accepts an address, also with a port or a prefix length.
func isIPv4(s string) bool {
	if i := strings.IndexAny(s, ":/"); i > 0 {
		if !digitsOnly(s[i+1:]) {
			return false
		}
		s = s[:i]
	}
	n := 0
	for p := range strings.SplitSeq(s, ".") {
		if n++; !digitsOnly(p) || len(p) > 3 {
			return false
		}
	}
	return n == 4
}

// isDate accepts 2026-11-20, 2026-11-20T15:33:55.5Z, 20/11/2026.
func isDate(s string) bool {
	day := s
	if i := strings.IndexAny(s, "Tt"); i > 0 {
		day = s[:i]
		if !isClock(strings.TrimRight(s[i+1:], "Zz")) {
			return false
		}
	}
	for _, sep := range [...]string{"-", "/"} {
		parts := strings.Split(day, sep)
		if len(parts) == 3 && digitsOnly(parts[0]) && digitsOnly(parts[1]) && digitsOnly(parts[2]) &&
			len(day) >= 8 && len(day) <= 10 {
			return true
		}
	}
	return false
}

// isClock accepts 15:33, 15:33:55.123, with a zone behind it.
func isClock(s string) bool {
	if i := strings.IndexAny(s, "+-"); i > 4 {
		s = s[:i]
	}
	s = strings.TrimRight(s, "Zz")
	n := 0
	for p := range strings.SplitSeq(s, ":") {
		n++
		whole, fraction, _ := strings.Cut(p, ".")
		if !digitsOnly(whole) || len(whole) > 2 || fraction != "" && !digitsOnly(fraction) {
			return false
		}
	}
	return n == 2 || n == 3
}

// isDuration accepts 12ms, 1.5s, 1m30s, 10min, 512KB.
func isDuration(s string) bool {
	if s[0] < '0' || s[0] > '9' {
		return false
	}
	for s != "" {
		i := 0
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
			i++
		}
		j := i
		for j < len(s) && !(s[j] >= '0' && s[j] <= '9') {
			j++
		}
		if i == 0 || !isUnit(s[i:j]) {
			return false
		}
		s = s[j:]
	}
	return true
}

func isUnit(s string) bool {
	switch strings.ToLower(s) {
	case "ns", "us", "µs", "ms", "s", "sec", "secs", "seconds", "m", "min", "mins", "minutes", "h", "hr", "hours", "d", "days",
		"b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "k", "px":
		return true
	}
	return false
}

// mixed: upper and lower case in one word, as in base64.
func mixed(s string) bool {
	return strings.ToLower(s) != s && strings.ToUpper(s) != s
}
