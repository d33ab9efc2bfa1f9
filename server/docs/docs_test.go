package docs

import (
	"strings"
	"testing"
)

func book(t *testing.T) *Book {
	t.Helper()
	b, err := New(Deps{Address: func() string { return "https://box.example.com" }, Facts: func() Facts { return Facts{} }}).Book()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPagesSpeakOfThisServer(t *testing.T) {
	t.Parallel()
	for _, p := range book(t).Pages() {
		if strings.Contains(p.HTML, usualAddress) {
			t.Errorf("%s names %s, which is nobody's", p.Path, usualAddress)
		}
	}
}
