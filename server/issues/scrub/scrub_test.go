package scrub

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

func scrubber(t testing.TB, r Rules) *Scrubber {
	t.Helper()
	s, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeys(t *testing.T) {
	t.Parallel()
	s := scrubber(t, Rules{})
	for _, k := range []string{"password", "Password", "user_password", "passwordConfirm", "PASSWD", "secret", "client-secret", "api_key", "apiKey", "X-Api-Key",
		"access_token", "accessToken", "auth", "Authorization", "Proxy-Authorization", "credentials", "mysql_pwd", "stripeToken", "card[number]", "cardNumber",
		"session", "sessionid", "PHPSESSID", "cookie", "Set-Cookie", "csrftoken", "X-CSRF-Token", "XSRF-TOKEN", "token", "refresh_token", "jwt", "privateKey", "basicAuth"} {
		if m := map[string]any{k: "x1y2"}; len(s.Map(m)) != 1 || m[k] != Filtered {
			t.Errorf("%s is not removed: %v", k, m)
		}
	}
	for _, k := range []string{"author", "authority", "session_count", "token_count", "tokens", "discard", "card_type", "cookie_consent", "path", "key", "keyboard",
		"monkey", "side", "user", "email", "message", "passenger", "secretary_"[:3], "number"} {
		if m := map[string]any{k: "x1y2"}; len(s.Map(m)) != 0 {
			t.Errorf("%s is removed", k)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	s := scrubber(t, Rules{})
	cases := [][2]string{
		{"card 4111 1111 1111 1111 declined", "card [Filtered] declined"},
		{"card 4111-1111-1111-1111", "card [Filtered]"},
		{"order 4111111111111112 is no card", "order 4111111111111112 is no card"},
		{"at 1795188835604", "at 1795188835604"},
		{"postgres://shop:hunter2@db/shop", "postgres://shop:[Filtered]@db/shop"},
		{"https://x.org/a:b@c", "https://x.org/a:b@c"},
		{"Authorization: Bearer abcdef123456", "Authorization: Bearer [Filtered]"},
		{"basic facts about life", "basic facts about life"},
		{"POST /login?user=bob&password=hunter2&x=1", "POST /login?user=bob&password=[Filtered]&x=1"},
		{`{"user":"bob","password":"hun ter2","n":1}`, `{"user":"bob","password":"[Filtered]","n":1}`},
		{`{'api_key': 'abc', 'n': 1}`, `{'api_key': '[Filtered]', 'n': 1}`},
		{`"secret" => "abc"`, `"secret" => "[Filtered]"`},
		{"password=[Filtered]", "password=[Filtered]"},
		{"password:", "password:"},
		{"the password is wrong", "the password is wrong"},
		{"a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a [Filtered] b"},
		{"-----BEGIN PRIVATE KEY-----\ncut off", "[Filtered]"},
		{"ordinary text: x=1", "ordinary text: x=1"},
	}
	for _, c := range cases {
		got := s.Text(c[0])
		if got != c[1] {
			t.Errorf("%q\n got %q\nwant %q", c[0], got, c[1])
		}
		if again := s.Text(got); again != got {
			t.Errorf("%q changes again to %q", got, again)
		}
	}
}

const sample = `{"event_id":"00000000000000000000000000000001","platform":"python","transaction":"/pay","message":"paid with 4111111111111111",
"tags":{"shop":"a","token":"t1t2"},
"user":{"id":"7","email":"bob@example.org","ip_address":"203.0.113.9","plan":"pro","api_key":"k1k2"},
"request":{"method":"POST","url":"https://bob:pw@x.org/pay?a=1&password=hunter2","cookies":"sid=1; theme=dark","headers":{"Authorization":"Bearer abcdefghi","X-Forwarded-For":"203.0.113.9","Accept":"*/*"},
 "data":{"card":{"number":"4111111111111111","holder":"Bob"},"cart":[{"id":1,"secret":"s1s2"}]},"env":{"REMOTE_ADDR":"203.0.113.9","SERVER_NAME":"x"}},
"contexts":{"session":{"id":"s"},"shop":{"owner":"Ann","auth":"a1a2"}},
"extra":{"notes":"private matters","deep":{"er":{"password":{"a":1}}}},
"breadcrumbs":[{"message":"GET /?access_token=abc","data":{"url":"/","passwd":"p1p2"}}],
"exception":[{"type":"E","value":"password: hunter2","mechanism":{"type":"x","data":{"secret":"s1s2"}},"stacktrace":{"frames":[
 {"filename":"a.py","function":"f","in_app":true,"context_line":"password = 'hunter2'","pre_context":["internal-1234"],"vars":{"password":"'pw1'","x":"42","d":"{'secret': 'abc'}"}}]}}]}`

func parsedSample(t testing.TB, raw string) sentry.Event {
	t.Helper()
	e, err := sentry.ParseEvent([]byte(raw), time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// places maps where to why.
func places(paths []Path) map[string]string {
	m := map[string]string{}
	for _, p := range paths {
		m[p.At] = p.Reason
	}
	return m
}

func TestEvent(t *testing.T) {
	t.Parallel()
	e := parsedSample(t, sample)
	got := places(scrubber(t, Rules{IP: DropIP}).Parsed(&e))
	want := map[string]string{
		"message.formatted":                           "card number",
		"tags[1].token":                               "key token",
		"user.ip_address":                             "IP address",
		"user.data.api_key":                           "key apikey",
		"request.url":                                 "password in a URL",
		"request.query[1].password":                   "key password",
		"request.cookies[0].sid":                      "cookie",
		"request.cookies[1].theme":                    "cookie",
		"request.headers[0].Authorization":            "key authorization",
		"request.headers[1].X-Forwarded-For":          "IP address",
		"request.data.card.number":                    "card number",
		"request.data.cart[0].secret":                 "key secret",
		"request.env.REMOTE_ADDR":                     "IP address",
		"contexts.session":                            "key session",
		"contexts.shop.auth":                          "key auth",
		"extra.deep.er.password":                      "key password",
		"breadcrumbs[0].message":                      "a value assigned in text",
		"breadcrumbs[0].data.passwd":                  "key passwd",
		"exceptions[0].value":                         "a value assigned in text",
		"exceptions[0].mechanism.data.secret":         "key secret",
		"exceptions[0].stack.frames[0].vars.d":        "a value assigned in text",
		"exceptions[0].stack.frames[0].vars.password": "key password",
	}
	if !reflect.DeepEqual(got, want) {
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if want[k] != got[k] {
				t.Errorf("unexpected %s: %s", k, got[k])
			}
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("missing %s: %s", k, v)
			}
		}
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"4111111111111111", "hunter2&", "203.0.113.9", "k1k2", "s1s2", "p1p2", "pw1", "t1t2", "'abc'", "dark"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is still there: %s", secret, text)
		}
	}
	if e.Exceptions[0].Stack.Frames[0].Context != "password = 'hunter2'" {
		t.Errorf("the source line was changed: %s", e.Exceptions[0].Stack.Frames[0].Context)
	}
}

func TestProjectRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		rules Rules
		in    []string // changed
		out   []string // not changed
	}{
		{"part of a key", Rules{Own: keys("HOLD")}, []string{"request.data.card.holder"}, nil},
		{"path", Rules{Own: keys("contexts.shop.owner")}, []string{"contexts.shop.owner"}, nil},
		{"path with star", Rules{Own: keys("extra.note*")}, []string{"extra.notes"}, nil},
		{"path through lists", Rules{Own: keys("request.data.cart.id")}, []string{"request.data.cart[0].id"}, nil},
		{"user field", Rules{Own: keys("user.email")}, []string{"user.email"}, nil},
		{"pattern", Rules{Own: patterns(`internal-\d+`)}, []string{"exceptions[0].stack.frames[0].pre_context[0]"}, nil},
		{"pattern in text", Rules{Own: patterns(`matters`)}, []string{"extra.notes"}, nil},
		{"safe key", Rules{Safe: []string{"passwd"}}, nil, []string{"breadcrumbs[0].data.passwd"}},
		{"safe path", Rules{Safe: []string{"request.data"}}, nil, []string{"request.data.card.number", "request.data.cart[0].secret"}},
		{"safe cookie", Rules{Safe: []string{"request.cookies.theme"}}, []string{"request.cookies[0].sid"}, []string{"request.cookies[1].theme"}},
		{"no defaults", Rules{NoDefaults: true}, nil, []string{"extra.deep.er.password", "message.formatted", "request.cookies[0].sid"}},
	}
	for _, c := range cases {
		e := parsedSample(t, sample)
		got := places(scrubber(t, c.rules).Parsed(&e))
		for _, at := range c.in {
			if got[at] == "" {
				t.Errorf("%s: %s did not change: %v", c.name, at, got)
			}
		}
		for _, at := range c.out {
			if got[at] != "" {
				t.Errorf("%s: %s changed: %s", c.name, at, got[at])
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	keep, drop := scrubber(t, Rules{}), scrubber(t, Rules{IP: DropIP})
	hash, other := scrubber(t, Rules{IP: HashIP, Salt: "a"}), scrubber(t, Rules{IP: HashIP, Salt: "b"})
	const ip = "203.0.113.9"
	if keep.Address(ip) != ip || drop.Address(ip) != "" {
		t.Errorf("keep %q, drop %q", keep.Address(ip), drop.Address(ip))
	}
	h := hash.Address(ip)
	if !strings.HasPrefix(h, "ip-") || h != hash.Address(ip) || h == other.Address(ip) || hash.Address(h) != h {
		t.Errorf("hash %q, with another salt %q", h, other.Address(ip))
	}
	e := parsedSample(t, sample)
	hash.Parsed(&e)
	if e.User.IPAddress != h || e.Request.Env["REMOTE_ADDR"] != h {
		t.Errorf("event: %q, %v", e.User.IPAddress, e.Request.Env)
	}
	e = parsedSample(t, sample)
	keep.Parsed(&e)
	if e.User.IPAddress != ip {
		t.Errorf("keep: %q", e.User.IPAddress)
	}
}

// The preview (a map) and digestion (the parsed event) must agree, and a
// second time changes nothing.
func TestBothWaysAgree(t *testing.T) {
	t.Parallel()
	for _, rules := range []Rules{{}, {IP: DropIP}, {IP: HashIP, Own: append(keys("holder", "extra.n*"), patterns(`[a-z]+@example\.org`)...), Safe: []string{"shop"}}, {NoDefaults: true}} {
		s := scrubber(t, rules)
		e := parsedSample(t, sample)
		before, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(before, &m); err != nil {
			t.Fatal(err)
		}
		fromMap, fromEvent := s.Event(m), s.Parsed(&e)
		if !reflect.DeepEqual(fromMap, fromEvent) {
			t.Errorf("%+v: the paths differ:\n%v\n%v", rules, fromMap, fromEvent)
		}
		a, _ := json.Marshal(m)
		text, _ := json.Marshal(e)
		var back map[string]any
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(back)
		if string(a) != string(b) {
			t.Errorf("%+v: the results differ:\n%s\n%s", rules, a, b)
		}
		var still sentry.Event
		if err := json.Unmarshal(a, &still); err != nil {
			t.Errorf("a scrubbed map is no event any more: %v", err)
		}
		if again := s.Parsed(&e); len(again) != 0 {
			t.Errorf("%+v: scrubbed again: %v", rules, again)
		}
	}
}

// What a client sent has other shapes than the stored form.
func TestRawEvent(t *testing.T) {
	t.Parallel()
	var m map[string]any
	if err := json.Unmarshal([]byte(sample), &m); err != nil {
		t.Fatal(err)
	}
	got := places(scrubber(t, Rules{}).Event(m))
	for _, at := range []string{"message", "tags.token", "request.cookies", "request.headers.Authorization", "exception[0].value", "exception[0].stacktrace.frames[0].vars.password", "request.url"} {
		if got[at] == "" {
			t.Errorf("%s did not change: %v", at, got)
		}
	}
}

// keys are rules about names and, where there are dots, places.
func keys(values ...string) (list []Rule) {
	for _, v := range values {
		kind := Key
		if strings.Contains(v, ".") {
			kind = Place
		}
		list = append(list, Rule{kind, v, Mask})
	}
	return list
}

func patterns(values ...string) (list []Rule) {
	for _, v := range values {
		list = append(list, Rule{Pattern, v, ""})
	}
	return list
}

func TestBadRules(t *testing.T) {
	t.Parallel()
	cases := []struct {
		rules Rules
		part  string
	}{
		{Rules{Own: patterns("(")}, "cannot be read"},
		{Rules{Own: patterns("x*")}, "matches everything"},
		{Rules{Own: patterns(strings.Repeat("x", 600))}, "longer than"},
		{Rules{IP: "some"}, "IP mode"},
		{Rules{Own: keys("*")}, "match everything"},
		{Rules{Own: keys("**")}, "match everything"},
		{Rules{Own: keys(" ")}, "match everything"},
		{Rules{Own: []Rule{{Key, "a.b", Mask}}}, "has dots"},
		{Rules{Own: []Rule{{Place, "iban", Mask}}}, "has dots"},
		{Rules{Own: []Rule{{"word", "iban", Mask}}}, "kind of rule"},
		{Rules{Own: []Rule{{Key, "iban", "burn"}}}, "no action"},
		{Rules{Own: []Rule{{Key, strings.Repeat("x", 600), Mask}}}, "longer than"},
		{Rules{Own: make([]Rule, 300)}, "There may be"},
	}
	for _, c := range cases {
		if _, err := New(c.rules); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%+v: %v", c.rules, err)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"tags":[["a","b"],{"key":"password","value":"x"}],"exception":{"values":[{"value":1}]},"request":{"cookies":[["a","b"]]}}`))
	s, err := New(Rules{IP: HashIP, Own: append(keys("a*b", "x.y"), patterns("z+")...), Safe: []string{"q"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m map[string]any
		if json.Unmarshal(raw, &m) != nil {
			return
		}
		s.Event(m)
		if again := s.Event(m); len(again) != 0 {
			t.Errorf("scrubbed again: %v in %v", again, m)
		}
	})
}

func BenchmarkParsed(b *testing.B) {
	s := scrubber(b, Rules{})
	e := parsedSample(b, sample)
	s.Parsed(&e) // what follows is the common case: little to remove
	b.ReportAllocs()
	for b.Loop() {
		s.Parsed(&e)
	}
}
