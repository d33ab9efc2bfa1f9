package buildlog

import (
	"bytes"
	"strings"
)

const escape = 0x1b

// Plain is a text without terminal escape sequences.
func Plain(text string) string {
	if strings.IndexByte(text, escape) < 0 {
		return text
	}
	return string(appendPlain(nil, []byte(text)))
}

// appendPlain adds text without terminal escape sequences: CSI (colours, cursor), OSC
// (titles, links) and two-byte ones. One that is cut off is dropped to the end.
func appendPlain(out, text []byte) []byte {
	for {
		at := bytes.IndexByte(text, escape)
		if at < 0 {
			return append(out, text...)
		}
		out = append(out, text[:at]...)
		text = text[at+escapeLength(text[at:]):]
	}
}

// escapeLength is the length of the sequence that text begins with. A line end is
// never part of one, so that a broken sequence costs its line only.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[':
		for i := 2; i < len(text); i++ {
			if c := text[i]; c >= 0x40 && c <= 0x7e {
				return i + 1
			} else if c < 0x20 {
				return i
			}
		}
		return len(text)
	case ']', 'P', 'X', '^', '_':
		for i := 2; i < len(text); i++ {
			switch {
			case text[i] == 0x07:
				return i + 1
			case text[i] == '\n':
				return i
			case text[i] == escape && i+1 < len(text) && text[i+1] == '\\':
				return i + 2
			}
		}
		return len(text)
	case '(', ')', '*', '+', '#', '%', ' ':
		return min(3, len(text))
	case '\r', '\n':
		return 1
	}
	return 2
}
