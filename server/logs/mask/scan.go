package mask

import "strings"

// pairs masks the values behind names of secrets: password=x, "token": "x",
// Authorization: Bearer x.
func (m *Masker) pairs(text string) string {
	var c cutter
	for at := 0; at < len(text); {
		if text[at] != '=' && text[at] != ':' {
			at++
			continue
		}
		name := nameBefore(text[c.done:at])
		at++
		if name == "" || !m.named(name) {
			continue
		}
		start, end := valueAt(text, at)
		if start == end || strings.HasPrefix(text[start:], Masked) {
			continue
		}
		c.mask(text, start, end)
		at = end
	}
	return c.finish(text)
}

// nameBefore is the word that a text ends with, without marks around it.
func nameBefore(text string) string {
	end := len(text)
	for end > 0 && strings.IndexByte(` "'\`, text[end-1]) >= 0 && len(text)-end < 4 {
		end--
	}
	start := end
	for start > 0 && end-start <= maxKey && wordBytes[text[start-1]] {
		start--
	}
	return text[start:end]
}

// wordBytes are what words are made of.
var wordBytes = func() (table [256]bool) {
	for i := range table {
		table[i] = wordByte(byte(i))
	}
	return table
}()

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c >= 0x80
}

// valueAt finds the value that begins here or behind spaces: in quotes up to the
// next, else a word. A scheme of authorization belongs to it.
func valueAt(text string, at int) (start, end int) {
	start = at
	for start < len(text) && text[start] == ' ' && start-at < 4 {
		start++
	}
	marks := 0
	for start < len(text) && text[start] == '\\' { // JSON in JSON
		start++
		marks++
	}
	if start < len(text) && (text[start] == '"' || text[start] == '\'') {
		quote := text[start]
		start++
		for end = start; end < len(text) && text[end] != quote; end++ {
			if text[end] == '\\' && marks == 0 {
				end++
			}
		}
		end = min(end, len(text))
		for end > start && marks > 0 && text[end-1] == '\\' {
			end--
		}
		return start, end
	}
	start -= marks
	for end = start; end < len(text) && strings.IndexByte(" \t\r\n,;&\"'<>)}]", text[end]) < 0; end++ {
	}
	if scheme := strings.ToLower(text[start:end]); end < len(text) && text[end] == ' ' && (scheme == "bearer" || scheme == "basic" || scheme == "token") {
		_, end = valueAt(text, end)
	}
	return start, end
}

// cutter makes a text with parts of it masked, reading it once.
type cutter struct {
	out  strings.Builder
	done int
}

func (c *cutter) mask(text string, start, end int) {
	c.out.WriteString(text[c.done:start])
	c.out.WriteString(Masked)
	c.done = end
}

func (c *cutter) finish(text string) string {
	if c.done == 0 {
		return text
	}
	c.out.WriteString(text[c.done:])
	return c.out.String()
}

// begins are the first letters of forms.
var begins = func() (table [256]bool) {
	for _, f := range forms {
		table[f.begin[0]] = true
	}
	return table
}()

// tokens masks what has the form of a secret.
func tokens(text string) string {
	var c cutter
	for at := 0; at < len(text); at++ {
		// Inside a word it is something else, such as a piece of base64.
		if !begins[text[at]] || at > 0 && wordBytes[text[at-1]] {
			continue
		}
		for _, f := range forms {
			if !strings.HasPrefix(text[at:], f.begin) {
				continue
			}
			if found := f.rest.FindString(text[at:]); found != "" {
				c.mask(text, at, at+len(found))
				at += len(found) - 1
				break
			}
		}
	}
	return c.finish(text)
}

// cards masks 13 to 19 digits, perhaps in groups, that begin and end as cards'
// numbers do and whose check digit is right.
func cards(text string) string {
	var c cutter
	for at := 0; at < len(text); {
		if text[at] < '0' || text[at] > '9' {
			at++
			continue
		}
		end, digits := digitsAt(text, at)
		if len(digits) >= 13 && len(digits) <= 19 && digits[0] >= '2' && digits[0] <= '6' && (at == 0 || !wordBytes[text[at-1]] && text[at-1] != '.') && (end == len(text) || !wordBytes[text[end]]) && luhn(digits) {
			c.mask(text, at, end)
		}
		at = end
	}
	return c.finish(text)
}

// digitsAt reads digits with single spaces or dashes between groups of four or
// more, as cards are written; other groups end it.
func digitsAt(text string, at int) (end int, digits []byte) {
	var buf [20]byte
	digits = buf[:0]
	run := 0
	for end = at; end < len(text); end++ {
		switch c := text[end]; {
		case c >= '0' && c <= '9':
			run++
			if len(digits) < cap(digits) {
				digits = append(digits, c)
			}
		case (c == ' ' || c == '-') && run >= 4 && end+1 < len(text) && text[end+1] >= '0' && text[end+1] <= '9':
			run = 0
		default:
			return end, digits
		}
	}
	return end, digits
}

func luhn(digits []byte) bool {
	sum := 0
	for i, c := range digits {
		n := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
