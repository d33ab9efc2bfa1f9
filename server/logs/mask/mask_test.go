package mask

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/logs/record"
)

func compile(t testing.TB, r Rules) *Masker {
	t.Helper()
	m, err := Compile(r)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestText(t *testing.T) {
	t.Parallel()
	own := Default()
	own.Keys, own.Patterns = []string{"X-Own-Key"}, []string{`user-\d+`}
	m := compile(t, own)
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
	tests := []struct{ in, want string }{
		{"user ada password=hunter2 ok", "user ada password=[masked] ok"},
		{"PASSWORD: hunter2, next", "PASSWORD: [masked], next"},
		{`{"api_key":"a\"b","n":1}`, `{"api_key":"[masked]","n":1}`},
		{`msg="{\"token\":\"abc\",\"n\":1}"`, `msg="{\"token\":\"[masked]\",\"n\":1}"`},
		{"Authorization: Bearer abc.def then", "Authorization: [masked] then"},
		{"authorization=Basic dXNlcjpwdw==", "authorization=[masked]"},
		{"GET /x?access_token=abc&n=1", "GET /x?access_token=[masked]&n=1"},
		{"x-own_key=5", "x-own_key=[masked]"},
		{"hello user-17 and user-x", "hello [masked] and user-x"},
		{"jwt " + jwt + ".", "jwt [masked]"},
		{"a ghp_" + strings.Repeat("a", 36) + " b", "a [masked] b"},
		{"AKIAIOSFODNN7EXAMPLE", "[masked]"},
		{"card 4111 1111 1111 1111 end", "card [masked] end"},
		{"card=4111-1111-1111-1111", "card=[masked]"},
		{"5555555555554444", "[masked]"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----x", "[masked]x"},
		// These only look so.
		{"password=", "password="}, {"tokens: 5, tokenizer=x", "tokens: 5, tokenizer=x"}, {"at 12:30:05 done", "at 12:30:05 done"},
		{"4111 1111 1111 1112", "4111 1111 1111 1112"}, {"1795176000000000000", "1795176000000000000"}, {"0.4111111111111111", "0.4111111111111111"},
		{"xAKIAIOSFODNN7EXAMPLE", "xAKIAIOSFODNN7EXAMPLE"}, {"eyJ short", "eyJ short"}, {"ghost sketch", "ghost sketch"}, {"", ""}, {"=", "="},
		{"password=[masked]", "password=[masked]"},
	}
	for _, test := range tests {
		if got := m.Text(test.in); got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
	off := compile(t, Rules{})
	if text := "password=x 4111111111111111 " + jwt; off.Text(text) != text {
		t.Error("it masks although nothing is to be masked")
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	m := compile(t, Default())
	r := record.Record{Message: "token=abc", Fields: []record.Field{{Name: "http.request.Set-Cookie", Value: "a=b"}, {Name: "n", Value: "4111111111111111", Kind: record.Number},
		{Name: "password", Value: "true", Kind: record.Bool}, {Name: "token", Value: ""}, {Name: record.TraceID, Value: "4111111111111111"}, {Name: "url", Value: "/?secret=x"}}}
	if !m.Record(&r) {
		t.Error("nothing was found")
	}
	want := []string{Masked, Masked, "true", "", "4111111111111111", "/?secret=" + Masked}
	for i, f := range r.Fields {
		if f.Value != want[i] {
			t.Errorf("%s: %q", f.Name, f.Value)
		}
	}
	if r.Fields[1].Kind != record.String || r.Message != "token="+Masked {
		t.Errorf("%+v", r)
	}
	if m.Record(&r) {
		t.Error("what is masked is found again")
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, r := range []Rules{{Keys: []string{"_-"}}, {Keys: []string{strings.Repeat("x", 65)}}, {Patterns: []string{"("}}, {Patterns: []string{"a*"}}, {Patterns: []string{strings.Repeat("x", 501)}},
		{Patterns: make([]string, 21)}, {Keys: make([]string, 101)}} {
		if _, err := Compile(r); err == nil {
			t.Errorf("%.60v: no error", r)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add(`{"token":"a\"b"} password=x Bearer Bearer 4111 1111 1111 1111 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln`)
	m := compile(f, Default())
	f.Fuzz(func(t *testing.T, text string) {
		got := m.Text(text)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which is no text", text, got)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	m := compile(b, Default())
	r := record.Record{Message: "2026-11-20T12:00:00Z GET /api/v1/items/17?page=2 200 in 12ms from 10.0.0.7 trace=5b8efff798038103d269b633813fc60c", Fields: []record.Field{{Name: "http.status", Value: "200", Kind: record.Number}, {Name: "user.name", Value: "ada"}, {Name: "took", Value: "0.0125", Kind: record.Number}}}
	for b.Loop() {
		m.Record(&r)
	}
}
