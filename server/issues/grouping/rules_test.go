package grouping

import (
	"errors"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	t.Parallel()
	event := `{"platform":"python","level":"warning","logger":"db.pool","release":"shop@2.4","environment":"staging","transaction":"/cart","tags":{"region":"eu-west"},
		"exception":[{"type":"OSError","value":"inner"},{"type":"DatabaseError","value":"connection 7 lost","stacktrace":{"frames":[
		{"module":"shop.db","function":"connect_slow","abs_path":"/srv/shop/db.py","in_app":true},{"module":"lib","function":"send"}]}}]}`
	cases := []struct {
		rule string
		hit  bool
	}{
		{`type:DatabaseError -> x`, true},
		{`type:OSError -> x`, true}, // any of the chain
		{`type:databaseerror -> x`, true},
		{`error.type:Data*Error -> x`, true},
		{`type:KeyError -> x`, false},
		{`!type:KeyError -> x`, true},
		{`!type:OSError -> x`, false},
		{`value:"connection ? lost" -> x`, true},
		{`value:connection -> x`, false}, // whole text
		{`message:*lost -> x`, true},
		{`module:shop.* -> x`, true},
		{`function:connect_* -> x`, true},
		{`path:**/shop/*.py -> x`, true},
		{`stack.abs_path:/srv/other/* -> x`, false},
		{`level:warning logger:db.* -> x`, true},
		{`level:warning logger:web.* -> x`, false},
		{`release:shop@2.* environment:staging -> x`, true},
		{`transaction:/cart platform:python -> x`, true},
		{`tags.region:eu* -> x`, true},
		{`tags.region:us* -> x`, false},
		{`tags.none:* -> x`, false},
		{`!tags.none:* -> x`, true},
	}
	for _, c := range cases {
		rules, err := ParseRules(c.rule)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if got := rules[0].Matches(parse(t, event)); got != c.hit {
			t.Errorf("%s: matches %v, want %v", c.rule, got, c.hit)
		}
	}
}

func TestRuleDecides(t *testing.T) {
	t.Parallel()
	rules, err := ParseRules("# comment\n\ntype:OSError -> first\n type:Key* -> {{ default }}, {{tags.shop}} , \"two words\" title=\"Lost {{ tags.shop }}\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(rules) != 2 || strings.Join(rules[1].Fingerprint, "|") != "{{ default }}|{{ tags.shop }}|two words" {
		t.Fatalf("rules: %+v", rules)
	}
	event := func(shop, own string) Result {
		return Group(parse(t, `{"exception":[{"type":"KeyError","value":"x"}],"tags":{"shop":"`+shop+`"},"fingerprint":["`+own+`"]}`), Options{Rules: rules})
	}
	a := event("a", "mine")
	if !sameIssue(a, event("a", "other")) {
		t.Error("a rule decides over the client's fingerprint")
	}
	if sameIssue(a, event("b", "mine")) {
		t.Error("the variable counts")
	}
	if a.Title != "Lost a" {
		t.Errorf("title %q", a.Title)
	}
	if want := "Rule “type:Key* -> {{ default }}, {{tags.shop}} , \"two words\" title=\"Lost {{ tags.shop }}\"” gave this fingerprint: {{ default }}, a, two words."; a.Why[0].Text != want {
		t.Errorf("why: %s", a.Why[0].Text)
	}
}

func TestRuleErrors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text         string
		line, column int
		part         string
	}{
		{"type:KeyError", 1, 14, "arrow"},
		{"-> x", 1, 3, "matcher is missing"},
		{"\ntype:KeyError ->", 2, 17, "fingerprint is missing"},
		{"typ:KeyError -> x", 1, 1, `no matcher "typ"`},
		{"type: -> x", 1, 6, "pattern of type"},
		{"KeyError -> x", 1, 1, "name:pattern"},
		{"type:a -> {{ default", 1, 11, "does not end"},
		{`type:a -> "x`, 1, 11, "does not end"},
	}
	for _, c := range cases {
		_, err := ParseRules(c.text)
		var e *RuleError
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if e.Line != c.line || e.Column != c.column || !strings.Contains(e.Sentence, c.part) {
			t.Errorf("%q: line %d column %d: %s", c.text, e.Line, e.Column, e.Sentence)
		}
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	cases := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false}, {"a?c", "abc", true},
		{"a?c", "ac", false}, {"*b*", "abc", true}, {"**", "x", true}, {"A", "a", true}, {"?", "é", true}, {"a*b*c", "axxbyyc", true},
	}
	for _, c := range cases {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.s, got)
		}
	}
}

func FuzzParseRules(f *testing.F) {
	f.Add("type:KeyError value:\"a b\" -> {{ default }}, x title=\"y\"")
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := ParseRules(s)
		if err != nil {
			return
		}
		for i := range rules {
			if len(rules[i].Matchers) == 0 || len(rules[i].Fingerprint) == 0 {
				t.Errorf("%q gives an empty rule", s)
			}
		}
	})
}
