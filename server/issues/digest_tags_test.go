package issues

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
)

func TestTagCountsSurviveTheirText(t *testing.T) {
	t.Parallel()
	for _, counts := range []tagCounts{
		{},
		{"level": {"error": 41}},
		{"level": {"error": 1, "fatal": 2}, "browser": {"Firefox 115": 9_000_000_000, "": 3}, "empty": {}},
		{`quo"te`: {`back\slash`: 1, "line\nend": 2, "grüße": 3, "a,b}": 4, `{"x":1}`: 5}},
	} {
		text := counts.text()
		if got := parseTagCounts(text); !reflect.DeepEqual(got, counts) {
			t.Errorf("%s: %v, want %v", text, got, counts)
		}
		var foreign tagCounts
		if err := json.Unmarshal([]byte(text), &foreign); err != nil || !reflect.DeepEqual(foreign, counts) {
			t.Errorf("%s is no JSON of it: %v", text, err)
		}
		written, err := json.Marshal(counts) // what earlier versions stored
		if err != nil || !reflect.DeepEqual(parseTagCounts(string(written)), counts) {
			t.Errorf("%s is read as %v", written, parseTagCounts(string(written)))
		}
	}
}

func FuzzTagCounts(f *testing.F) {
	for _, text := range []string{"", "{", "{}", `{"a":{"b":1}}`, `{"a":{"b":1},}`, `{"a":{"b":1}`, `{"a":{"b":-1,"c":2},"d":{}}`, `{"a\"":{"b":1}}`, `{"a":{"b":1}}x`, `{"a":{"b":1.5}}`, `[]`, "{\"\":{\"\xec\":0}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		counts, whole := readTagCounts(text)
		var slow tagCounts
		if err := json.Unmarshal([]byte(text), &slow); err == nil && whole && fmt.Sprint(slow) != fmt.Sprint(counts) {
			t.Errorf("%q: %v, encoding/json says %v", text, counts, slow)
		}
		if whole {
			_ = counts.text()
		}
	})
}
