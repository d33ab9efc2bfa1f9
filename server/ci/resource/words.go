package resource

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// maxWords bounds what is repeated of a refusal.
const maxWords = 600

// ownWords is what an answer says about a failure, on one line: the explanation in JSON
// where there is one, text as it is, and nothing of a page made for browsers.
func ownWords(body []byte) string {
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] == '<' {
		return ""
	}
	var said map[string]any
	if json.Unmarshal(body, &said) == nil {
		if words := explanation(said); words != "" {
			return oneLine(words)
		}
	}
	return oneLine(string(body))
}

func explanation(said map[string]any) string {
	var parts []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	for _, key := range []string{"message", "error", "detail", "error_description"} {
		switch v := said[key].(type) {
		case string:
			add(v)
		case map[string]any:
			add(explanation(v))
		}
	}
	list, _ := said["errors"].([]any)
	for _, item := range list {
		switch v := item.(type) {
		case string:
			add(v)
		case map[string]any:
			text := explanation(v)
			for _, key := range []string{"resource", "field", "code"} {
				if s, ok := v[key].(string); ok && text == "" {
					add(s)
				}
			}
			add(text)
		}
	}
	return strings.Join(parts, "; ")
}

// oneLine makes text from elsewhere fit for a log: printable, on one line and short.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	var b strings.Builder
	blank := false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
		if b.Len() > maxWords {
			return strings.TrimSpace(b.String()) + " …"
		}
	}
	return b.String()
}

// expand replaces $NAME and ${NAME} where NAME is a build's variable or one of extra.
// Everything else stays as it is written: a price is not a variable.
func expand(text string, env []string, extra map[string]string) string {
	var b strings.Builder
	for {
		at := strings.IndexByte(text, '$')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at])
		text = text[at:]
		name, length := variableName(text)
		value, known := extra[name]
		if !known && (strings.HasPrefix(name, "BUILD_") || strings.HasPrefix(name, "ATC_")) {
			value, known = lookupEnv(env, name), true
		}
		if !known {
			value, length = "$", 1
		}
		b.WriteString(value)
		text = text[length:]
	}
}

// variableName reads the name after a dollar sign, and how long it is with its signs.
func variableName(text string) (name string, length int) {
	rest := text[1:]
	braces := strings.HasPrefix(rest, "{")
	if braces {
		rest = rest[1:]
	}
	end := 0
	for end < len(rest) && (rest[end] == '_' || rest[end] >= 'A' && rest[end] <= 'Z' || end > 0 && rest[end] >= '0' && rest[end] <= '9') {
		end++
	}
	name = rest[:end]
	if !braces {
		return name, 1 + end
	}
	if end == len(rest) || rest[end] != '}' {
		return "", 1
	}
	return name, end + 3
}

// expandAll does the same to every string in a value as it came from the pipeline.
func expandAll(value any, replace func(string) string) any {
	switch v := value.(type) {
	case string:
		return replace(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = expandAll(item, replace)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = expandAll(item, replace)
		}
		return out
	}
	return value
}

// lookupEnv finds the last value of a variable in a "K=V" list.
func lookupEnv(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
