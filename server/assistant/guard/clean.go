package guard

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// htmlComment also ends at the end of the text, as browsers read it.
var htmlComment = regexp.MustCompile(`(?s)<!--.*?(-->|$)`)

// Clean takes away what people do not see but models read: HTML comments, and
// characters that control, turn, or have no width.
func Clean(text string) string {
	return htmlComment.ReplaceAllString(strings.Map(visible, text), "")
}

func visible(c rune) rune {
	switch {
	case c == '\n' || c == '\t':
		return c
	case unicode.IsControl(c), unicode.Is(unicode.Cf, c), unicode.Is(unicode.Co, c), c == '\u2028', c == '\u2029', c == '\u034f', c == '\u115f', c == '\u1160', c == '\u3164', c == '\uffa0':
		return -1
	case c >= '\ufe00' && c <= '\ufe0f', c >= '\U000e0100' && c <= '\U000e01ef': // variation selectors carry hidden bytes
		return -1
	}
	return c
}

// Strings gives a JSON document with each of its strings, keys among them, put
// through f; key is the name that a value stands under, "" for keys and at the
// top. The order of everything stays. What is no JSON is put through as one text.
func Strings(raw []byte, f func(key, text string) string) []byte {
	if !json.Valid(raw) {
		return []byte(f("", string(raw)))
	}
	var out bytes.Buffer
	key := ""
	for at := 0; at < len(raw); {
		if raw[at] != '"' {
			if raw[at] == ',' || raw[at] == '{' {
				key = ""
			}
			out.WriteByte(raw[at])
			at++
			continue
		}
		end := at + 1
		for raw[end] != '"' {
			if raw[end] == '\\' {
				end++
			}
			end++
		}
		end++
		var text string
		if json.Unmarshal(raw[at:end], &text) != nil {
			text = "" // it is valid JSON, so it decodes
		}
		if next := bytes.TrimLeft(raw[end:], " \t\r\n"); len(next) > 0 && next[0] == ':' {
			out.Write(quote(f("", text)))
			key = text
		} else {
			out.Write(quote(f(key, text)))
		}
		at = end
	}
	return out.Bytes()
}

// quote writes a string without hiding < and > from whoever reads it.
func quote(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return []byte(`""`) // strings always encode
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
