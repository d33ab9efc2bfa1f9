package guard

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a<!-- call the tool -->b":                     "ab",
		"a<!-- never\nended":                           "a",
		"a<\u200b!-- hidden --\u200b>b":                "ab",
		"zero\u200bwidth \u202Ereverse\u2066x\u2069":   "zerowidth reversex",
		"bell\x07 tab\tline\n":                         "bell tab\tline\n",
		"tags\U000E0041\U000E0042 and \ufe0fselectors": "tags and selectors",
		"soft\u00adhyphen \ufeffmark":                  "softhyphen mark",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	got := string(Strings([]byte(`{"b":[1,"x\u003c!--y--\u003e",{"password":"a\"b"}],"a":{"k":null,"t":"\u200bq"}}`), func(key, text string) string {
		if key == "password" {
			return "***"
		}
		return Clean(text)
	}))
	if got != `{"b":[1,"x",{"password":"***"}],"a":{"k":null,"t":"q"}}` {
		t.Error(got)
	}
	if got := string(Strings([]byte("no JSON <!-- x -->at all"), func(_, text string) string { return Clean(text) })); got != "no JSON at all" {
		t.Error(got)
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	s := NewScrubber([]string{"correct horse battery", "short", "-----BEGIN KEY-----\nMIIEabcdefgh\nqqqqrrrrssss\n-----END KEY-----"})
	for _, c := range []struct{ key, in, want string }{
		{"", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[secret:github:6789]"},
		{"", "see github_pat_11ABCDEFG0abcdefghijkl_mnop end", "see [secret:github:mnop] end"},
		{"", "gho_abcdefghijklmnop1234 ghs_abcdefghijklmnop5678", "[secret:github:1234] [secret:github:5678]"},
		{"", "xoxb-123456789012-abcdefghij", "[secret:slack:ghij]"},
		{"", "xapp-1-A012345678-abcdef", "[secret:slack:cdef]"},
		{"", "post to https://hooks.slack.com/services/T000/B000/XXXXabcd", "post to [secret:slack:abcd]"},
		{"", "AKIAIOSFODNN7EXAMPLE", "[secret:aws:MPLE]"},
		{"", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlc2ln", "[secret:jwt:c2ln]"},
		{"", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after", "[secret:pem:----] after"},
		{"", "-----BEGIN PRIVATE KEY-----\nMIIE cut", "[secret:pem: cut]"},
		{"", "password=hunter2 next", "password=[secret:password:****] next"},
		{"", `{\"db_password\": \"s3cretvalue99\"}`, `{\"db_password\": \"[secret:password:ue99]\"}`},
		{"", "DB_PASSWORD: correcthorsebattery", "DB_PASSWORD: [secret:password:tery]"},
		{"", "password: required", "password: required"},
		{"", "password: ((db.password))", "password: ((db.password))"},
		{"", "postgres://bob:tr0ub4dor@db/x", "postgres://bob:[secret:url:****]@db/x"},
		{"", "Authorization: Bearer abcdEFGH12345678ijkl", "Authorization: Bearer [secret:bearer:ijkl]"},
		{"", "api_key is Zx81kQp0Ws73mNbV", "api_key is [secret:key:mNbV]"},
		{"", "token: build", "token: build"},
		{"", "sbx_0000abcdefghijklmnopqrst", "[secret:signalbox:qrst]"},
		{"", "sk-ant-api03-abcdefghijklmnopqrst", "[secret:key:qrst]"},
		{"", "commit 0123456789abcdef0123456789abcdef01234567", "commit 0123456789abcdef0123456789abcdef01234567"},
		{"", "the correct horse battery staple", "the [secret:known:tery] staple"},
		{"", "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", "[secret:known:tery]"},
		{"", "correct+horse+battery", "[secret:known:tery]"},
		{"", "yrettab esroh tcerroc", "[secret:known:tery]"},
		{"", "MIIEabcdefgh alone", "[secret:known:efgh] alone"},
		{"", "short stays", "short stays"},
		{"", "[secret:github:6789] stays, password=[secret:known:tery]", "[secret:github:6789] stays, password=[secret:known:tery]"},
		{"password", "hunter2", "[secret:password:****]"},
		{"client_secret", "abc", "abc"},
		{"api_token", "Zx81kQp0Ws73mNbV", "[secret:key:mNbV]"},
		{"title", "Rotate the signing key", "Rotate the signing key"},
		{"sha", "d2c7d34e1b1a4a6f9f62d8b9c4c1e7a0aa11bb22", "d2c7d34e1b1a4a6f9f62d8b9c4c1e7a0aa11bb22"},
	} {
		got, n := s.Scrub(c.key, c.in)
		if got != c.want {
			t.Errorf("%s %q: %q, want %q", c.key, c.in, got, c.want)
		}
		if changed := got != c.in; changed != (n > 0) {
			t.Errorf("%q: counted %d", c.in, n)
		}
	}
}

func FuzzScrub(f *testing.F) {
	s := NewScrubber([]string{"correct horse battery"})
	f.Add("password=hunter2 ghp_abcdefghijklmnopqrstuvwxyz0123456789 correct horse battery")
	f.Add("\x01" + "0\x02[secret:a:bbbb]")
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := s.Scrub("", text)
		if strings.Contains(got, "correct horse battery") || strings.ContainsAny(got, "\x01\x02") {
			t.Errorf("%q: %q", text, got)
		}
	})
}

func TestLinks(t *testing.T) {
	t.Parallel()
	may := func(address string) bool { return At(address, []string{"github.com", "box.example:8443"}) }
	for in, want := range map[string]string{
		"[ok](https://github.com/a/b/issues/1)":                       "[ok](https://github.com/a/b/issues/1)",
		"[no](https://evil.example/?x=1)":                             "no",
		"![p](https://github.com/p.png)":                              "p",
		"![p][1]\n[1]: https://evil.example/p.png":                    "p\n",
		"[a][1]\n\n[1]: https://evil.example":                         "a\n\n",
		"<https://evil.example/a>":                                    "`https://evil.example/a`",
		"see https://evil.example/x?y=1.":                             "see `https://evil.example/x?y=1`.",
		"see https://github.com/a/b.":                                 "see https://github.com/a/b.",
		"www.evil.example/x":                                          "`www.evil.example/x`",
		"[x](javascript:alert(1))":                                    "x)",
		"[x](//evil.example/a)":                                       "x",
		"[x](data:text/html,hi)":                                      "x",
		"[x](https://github.com@evil.example/)":                       "x",
		"[x](https://github.com.evil.example/)":                       "x",
		"[x](https://box.example:8443/a)":                             "[x](https://box.example:8443/a)",
		"[x](https://box.example/a)":                                  "x",
		"[![i](https://evil.example/i.png)](https://evil.example/)":   "i",
		"<img src=https://evil.example/a.png>":                        "&lt;img src=`https://evil.example/a.png`>",
		"<!channel> <@U123> <#C1>":                                    "&lt;!channel> &lt;@U123> &lt;#C1>",
		"[https://evil.example](https://github.com/a)":                "[](https://github.com/a)",
		"[x](  <https://evil.example/a b>  )":                         "x",
		"[a\\](https://evil.example)](https://evil.example)":          "a\\]`https://evil.example`)",
		"1 < 2 and `code`":                                            "1 < 2 and `code`",
		"[x]\n(https://evil.example)":                                 "[x]\n(`https://evil.example`)",
		"[deep [inner](https://evil.example) x](https://github.com/)": "deep [inner x] (https://github.com/)",
	} {
		if got := Links(in, may); got != want && !(strings.Contains(want, "\\]") && !strings.Contains(got, "](")) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzLinks(f *testing.F) {
	f.Add("[a](https://evil.example) ![b](https://evil.example/x.png) <https://evil.example>")
	f.Fuzz(func(t *testing.T, text string) {
		got := Links(text, func(string) bool { return false })
		if strings.Contains(got, "](") || strings.Contains(got, "\x00") {
			t.Errorf("%q: %q", text, got)
		}
	})
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	r := Repositories{Allowed: []string{"acme/shop", "acme/api"}, Asked: "acme/shop"}
	for _, c := range []struct {
		args  map[string]any
		read  []string
		query string
		says  string
	}{
		{args: map[string]any{"owner": "Acme", "repo": "API"}, read: []string{"acme/api"}},
		{args: map[string]any{"owner": "acme", "repo": "legacy"}, says: "acme/legacy is not"},
		{args: map[string]any{"owner": "acme"}, says: "wider than one"},
		{args: map[string]any{"org": "acme"}, says: "wider than one"},
		{args: map[string]any{"repository": "https://github.com/acme/legacy.git"}, says: "not on this team's list"},
		{args: map[string]any{"repository": "acme/api"}, read: []string{"acme/api"}},
		{args: map[string]any{"query": "is:open bug"}, read: []string{"acme/shop"}, query: "repo:acme/shop is:open bug"},
		{args: map[string]any{"query": "repo:acme/api x"}, read: []string{"acme/api"}, query: "repo:acme/api x"},
		{args: map[string]any{"query": "REPO:acme/legacy x"}, says: "acme/legacy is not"},
		{args: map[string]any{"query": `repo:"acme/legacy" x`}, says: "acme/legacy is not"},
		{args: map[string]any{"query": "repo:acme/shop repo:acme/legacy"}, says: "names one repository"},
		{args: map[string]any{"query": "x org:acme"}, says: "nothing wider"},
		{args: map[string]any{"query": "-repo:acme/shop x"}, says: "names one repository"},
		{args: map[string]any{"q": "user:mallory"}, says: "nothing wider"},
		{args: map[string]any{"query": "repo:acme/shop OR repo:acme/legacy"}, says: "reach beyond"},
		{args: map[string]any{"query": "bug OR secret"}, says: "reach beyond"},
		{args: map[string]any{"query": "(repo:acme/legacy)"}, says: "acme/legacy is not"},
		{args: map[string]any{"owner": "acme", "repo": "shop", "query": "org:other"}, says: "nothing wider"},
		{args: map[string]any{"input": map[string]any{"owner": "acme", "repo": "legacy"}}, says: "acme/legacy is not"},
		{args: map[string]any{"repos": []any{"acme/shop", "acme/legacy"}}, says: "acme/legacy is not"},
		{args: map[string]any{"items": []any{map[string]any{"owner": "acme", "repo": "legacy"}}}, says: "acme/legacy is not"},
		{args: map[string]any{"number": 3}},
	} {
		read, err := r.Args(c.args)
		var refused *Refusal
		switch {
		case c.says != "":
			if !errors.As(err, &refused) || refused.Rule != "repositories" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v", c.args, err)
			}
		case err != nil || !slices.Equal(read, c.read) || c.query != "" && c.args["query"] != c.query:
			t.Errorf("%v: %v %v", c.args, read, err)
		}
	}
	if _, _, err := (Repositories{Allowed: []string{"acme/shop"}}).Query("x"); err == nil {
		t.Error("a search without a repository, and none is meant")
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	if got, cut := Shape([]byte(`{"a":1}`), 100); cut || got != `{"a":1}` {
		t.Error(got)
	}
	long := `{"total":3,"items":[` + strings.Repeat(`{"body":"`+strings.Repeat("x", 3000)+`"},`, 30) + `{}]}`
	got, cut := Shape([]byte(long), 8<<10)
	if !cut || len(got) > 8<<10 || !strings.Contains(got, `"total":31`) || !strings.Contains(got, "bytes left out here") || !strings.Contains(got, `"total":3`) {
		t.Errorf("%d %.300s", len(got), got)
	}
	if got, cut := Shape([]byte(strings.Repeat("é", 9000)), 1000); !cut || len(got) > 1100 || !strings.Contains(got, "left out") {
		t.Errorf("%d %t", len(got), cut)
	}
}
