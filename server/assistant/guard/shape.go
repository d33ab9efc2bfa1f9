package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Shape brings a JSON result below a length so that the cut shows: lists keep their first items and say how many
// there are, long texts keep both ends. It reports whether anything is missing.
func Shape(raw []byte, limit int) (string, bool) {
	if len(raw) <= limit {
		return string(raw), false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if d.Decode(&value) == nil {
		for _, step := range []struct{ items, text int }{{50, 2000}, {30, 1000}, {20, 600}, {20, 300}, {10, 300}, {5, 200}, {3, 120}} {
			if out, err := encode(shrink(value, step.items, step.text)); err == nil && len(out) <= limit {
				return out, true
			}
		}
	}
	return ends(string(raw), limit), true
}

func encode(value any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return strings.TrimRight(b.String(), "\n"), err
}

func shrink(value any, items, text int) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, inner := range v {
			out[name] = shrink(inner, items, text)
		}
		return out
	case []any:
		out := []any{}
		for _, inner := range v[:min(len(v), items)] {
			out = append(out, shrink(inner, items, text))
		}
		if len(v) > items {
			out = append(out, map[string]any{"_truncated": map[string]int{"shown": items, "total": len(v)}})
		}
		return out
	case string:
		if len(v) > text {
			return ends(v, text)
		}
	}
	return value
}

// ends keeps the beginning and the end of a text.
func ends(text string, limit int) string {
	half := limit / 2
	if len(text) <= 2*half {
		return text
	}
	return strings.ToValidUTF8(text[:half], "") + fmt.Sprintf(" …[%d bytes left out here]… ", len(text)-2*half) + strings.ToValidUTF8(text[len(text)-half:], "")
}
