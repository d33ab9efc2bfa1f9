package payload

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestParsePushGolden(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatal(inputs, err)
	}
	for _, in := range inputs {
		body, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		push, err := ParsePush(body)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got, err := json.MarshalIndent(push, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(in, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || strings.TrimSpace(string(want)) != string(got) {
			t.Errorf("%s differs from its golden file (%v):\n%s", in, err, got)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	p := Push{Commits: []Commit{{Added: []string{"a"}, Modified: []string{"b"}}, {Removed: []string{"a"}, Modified: []string{"b", "c"}}}}
	if got := strings.Join(p.Files(), " "); got != "a b c" {
		t.Error(got)
	}
}

func TestParsePushRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", " ", "{", "[]", "{}", `{"ref":"refs/heads/x"}`, `{"repository":{"full_name":"a/b"}}`, `{"ref":1}`, `null`, strings.Repeat("[", 100000)} {
		if p, err := ParsePush([]byte(body)); err == nil {
			t.Errorf("%.20q gives %+v", body, p)
		}
	}
}

func FuzzParsePush(f *testing.F) {
	for _, name := range []string{"push", "tag_deleted", "branch_created"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := ParsePush(body)
		if err == nil && p.Ref == "" {
			t.Error("a push without a ref")
		}
		SameRepository("https://github.com/a/b", p)
	})
}

func TestSameRepository(t *testing.T) {
	t.Parallel()
	github := Push{CloneURLs: []string{"https://github.com/Octo-Org/Web.git", "git@github.com:Octo-Org/Web.git"}}
	enterprise := Push{CloneURLs: []string{"https://ghe.example.com:8443/ada/hello.git"}}
	local := Push{CloneURLs: []string{"file:///srv/git/Web.git"}}
	for _, c := range []struct {
		uri  string
		push Push
		want bool
	}{
		{"https://github.com/octo-org/web", github, true}, {"https://github.com/octo-org/web.git", github, true}, {"https://github.com/octo-org/web/", github, true},
		{"https://github.com/octo-org/web.git/", github, true}, {"HTTPS://GitHub.com/OCTO-ORG/WEB.GIT", github, true}, {"http://github.com/octo-org/web", github, true},
		{"https://user:token@github.com/octo-org/web", github, true}, {"https://github.com:443/octo-org/web", github, true}, {" https://github.com/octo-org/web ", github, true},
		{"git@github.com:octo-org/web.git", github, true}, {"github.com:octo-org/web", github, true}, {"git@github.com:/octo-org/web.git", github, true},
		{"ssh://git@github.com/octo-org/web.git", github, true}, {"ssh://git@ssh.github.com:443/octo-org/web.git", github, true}, {"git+ssh://git@github.com/octo-org/web", github, true},
		{"git://github.com/octo-org/web.git", github, true}, {"https://www.github.com/octo-org/web", github, true},
		{"https://github.com/octo-org/web2", github, false}, {"https://github.com/octo-org", github, false}, {"https://github.com/other/web", github, false},
		{"https://gitlab.com/octo-org/web", github, false}, {"https://evil.example/github.com/octo-org/web", github, false}, {"https://github.com.evil.example/octo-org/web", github, false},
		{"https://evil.example@github.com/octo-org/web", github, true}, {"https://github.com@evil.example/octo-org/web", github, false},
		{"octo-org/web", github, false}, {"", github, false}, {":", github, false}, {"https://", github, false}, {"https://github.com/", github, false}, {"https://%zz/", github, false},
		{"https://github.com/octo-org/web", Push{}, false}, {"", Push{CloneURLs: []string{""}}, false},
		{"git@ghe.example.com:Ada/Hello", enterprise, true}, {"ssh://git@ghe.example.com:2222/ada/hello.git", enterprise, true},
		{"file:///srv/git/Web", local, true}, {"/srv/git/Web.git", local, true}, {"/srv/git/web.git", local, false},
	} {
		if got := SameRepository(c.uri, c.push); got != c.want {
			t.Errorf("SameRepository(%q) = %v", c.uri, got)
		}
	}
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Summary{
		`{"action":"opened","repository":{"full_name":"a/b"},"sender":{"login":"ada"}}`: {"opened", "a/b", "ada"},
		`{"zen":"x","organization":{"login":"org"}}`:                                    {"", "org", ""},
		`{"action":1,"sender":"odd"}`:                                                   {},
		`{}`:                                                                            {},
	} {
		if got, err := Summarize([]byte(body)); got != want || err != nil {
			t.Errorf("%s: %+v %v", body, got, err)
		}
	}
	for _, body := range []string{"", "x", "[]", "null", `"s"`, "{", "{} {}", "{\"a\":\"\xff\"}", `{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + "}"} {
		if _, err := Summarize([]byte(body)); err == nil {
			t.Errorf("%.20q is taken", body)
		}
	}
	long, err := Summarize([]byte(`{"action":"` + strings.Repeat("ü", 500) + `"}`))
	if err != nil || len(long.Action) > maxWord || !utf8.ValidString(long.Action) {
		t.Errorf("%d bytes, %v", len(long.Action), err)
	}
}

func FuzzSummarize(f *testing.F) {
	f.Add([]byte(`{"action":"opened","repository":{"full_name":"a/b"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := Summarize(body)
		if err == nil && !(json.Valid(body) && utf8.ValidString(s.Action+s.Repository+s.Sender)) {
			t.Errorf("%q gives %+v", body, s)
		}
	})
}
