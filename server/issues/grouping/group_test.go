package grouping

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

var arrived = time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)

func parse(t testing.TB, raw string) sentry.Event {
	t.Helper()
	e, err := sentry.ParseEvent([]byte(raw), arrived, time.Time{})
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return e
}

// sameIssue is how a store decides: any hash in common.
func sameIssue(a, b Result) bool {
	for _, x := range a.Hashes {
		for _, y := range b.Hashes {
			if x.Value == y.Value {
				return true
			}
		}
	}
	return false
}

// exc is an event with one exception; frames are "module function line app|lib [source]".
func exc(platform, kind, value string, frames ...string) string {
	var b strings.Builder
	b.WriteString(`{"platform":"` + platform + `","exception":[{"type":"` + kind + `","value":"` + value + `"`)
	if len(frames) > 0 {
		b.WriteString(`,"stacktrace":{"frames":[` + frameList(frames) + `]}`)
	}
	b.WriteString(`}]}`)
	return b.String()
}

func frameList(frames []string) string {
	var out []string
	for _, f := range frames {
		p := strings.SplitN(f, " ", 5)
		s := `{"filename":"` + p[0] + `","function":"` + p[1] + `","lineno":` + p[2] + `,"in_app":` + map[bool]string{true: "true", false: "false"}[p[3] == "app"]
		if len(p) > 4 {
			s += `,"context_line":"` + p[4] + `"`
		}
		out = append(out, s+"}")
	}
	return strings.Join(out, ",")
}

func TestSameProblem(t *testing.T) {
	t.Parallel()
	base := exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 lib", "app/views.py checkout 20 app")
	cases := []struct {
		name string
		a, b string
		same bool
	}{
		{"the same event", base, base, true},
		{"other lines", base, exc("python", "KeyError", "'a'", "lib/wsgi.py handle 99 lib", "app/views.py checkout 21 app"), true},
		{"other message with a stack", base, exc("python", "KeyError", "something else", "lib/wsgi.py handle 10 lib", "app/views.py checkout 20 app"), true},
		{"other type", base, exc("python", "ValueError", "'a'", "lib/wsgi.py handle 10 lib", "app/views.py checkout 20 app"), false},
		{"other function of mine", base, exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 lib", "app/views.py refund 20 app"), false},
		{"other file of mine", base, exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 lib", "app/forms.py checkout 20 app"), false},
		{"other library frames", base, exc("python", "KeyError", "'a'", "lib/asgi.py serve 1 lib", "lib/x.py y 1 lib", "app/views.py checkout 20 app"), true},
		{"a client that marks everything in app", base, exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 app", "app/views.py checkout 20 app"), true},
		{"a client that marks nothing in app", base, exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 lib", "app/views.py checkout 20 lib"), true},
		{"only library frames, different", exc("python", "E", "x", "a.py f 1 lib"), exc("python", "E", "x", "b.py f 1 lib"), false},
		{"other directory of the same file", exc("python", "E", "", "/srv/a/app/views.py f 1 app"), exc("python", "E", "", "/home/b/app/views.py f 1 app"), true},
		{"windows and unix paths", exc("python", "E", "", `C:\\app\\Views.py f 1 app`), exc("python", "E", "", "/srv/app/views.py f 1 app"), true},
		{"other source line", exc("python", "E", "", "a.py f 1 app x = 1"), exc("python", "E", "", "a.py f 1 app y = 2"), false},
		{"source line moved", exc("python", "E", "", "a.py f 1 app x = 1"), exc("python", "E", "", "a.py f 77 app     x = 1"), true},
		{"source does not count for Go", exc("go", "E", "", "a.go f 1 app x := 1"), exc("go", "E", "", "a.go f 1 app y := 2"), true},
		{"minified source does not count", exc("javascript", "E", "", "a.js f 1 app "+strings.Repeat("x", 200)), exc("javascript", "E", "", "a.js f 1 app "+strings.Repeat("y", 200)), true},
		{"depth of a recursion", exc("python", "E", "", "a.py f 1 app", "a.py f 1 app"), exc("python", "E", "", "a.py f 1 app", "a.py f 1 app", "a.py f 1 app", "a.py f 2 app"), true},
		{"depth of a mutual recursion", exc("go", "E", "", "a.go f 1 app", "b.go g 1 app", "a.go f 1 app", "b.go g 1 app"),
			exc("go", "E", "", "a.go f 1 app", "b.go g 1 app", "a.go f 1 app", "b.go g 1 app", "a.go f 1 app", "b.go g 1 app"), true},
		{"recursion is not the other function", exc("go", "E", "", "a.go f 1 app", "a.go f 1 app"), exc("go", "E", "", "a.go g 1 app"), false},
		{"hashed bundle names", exc("javascript", "E", "", "https://x.org/assets/index-B3kx91Qa.js pay 1 app"), exc("javascript", "E", "", "https://x.org/assets/index-Zz81kQ0b.js pay 1 app"), true},
		{"cache-busting query", exc("javascript", "E", "", "https://x.org/app.js?v=1 pay 1 app"), exc("javascript", "E", "", "https://x.org/app.js?v=2 pay 1 app"), true},
		{"browsers name methods differently", exc("javascript", "E", "", "app.js Cart.total 1 app"), exc("javascript", "E", "", "app.js total 1 app"), true},
		{"firefox closures", exc("javascript", "E", "", "app.js total/< 1 app"), exc("javascript", "E", "", "app.js total 1 app"), true},
		{"nameless frames, other message", exc("javascript", "Error", "cart is empty", "app.js ? 1 app"), exc("javascript", "Error", "user is gone", "app.js ? 1 app"), false},
		{"nameless frames, other number", exc("javascript", "Error", "cart 1 is empty", "app.js ? 1 app"), exc("javascript", "Error", "cart 2 is empty", "app.js ? 1 app"), true},
		{"go closures renumbered", exc("go", "E", "", "main.go main.serve.func1 1 app"), exc("go", "E", "", "main.go main.serve.func3.2 1 app"), true},
		{"go generics", exc("go", "E", "", "main.go Map[...].Get 1 app"), exc("go", "E", "", "main.go Map.Get 1 app"), true},
		{"ruby blocks", exc("ruby", "E", "", `a.rb total 1 app`), `{"platform":"ruby","exception":[{"type":"E","stacktrace":{"frames":[{"filename":"a.rb","function":"block in total","in_app":true}]}}]}`, true},
		{"java proxies", `{"platform":"java","exception":[{"type":"E","stacktrace":{"frames":[{"module":"a.Cart$$EnhancerBySpring$$1f","function":"total","in_app":true}]}}]}`,
			`{"platform":"java","exception":[{"type":"E","stacktrace":{"frames":[{"module":"a.Cart","function":"total","in_app":true}]}}]}`, true},
		{"java lambdas", `{"platform":"java","exception":[{"type":"E","stacktrace":{"frames":[{"module":"a.Cart","function":"lambda$total$3","in_app":true}]}}]}`,
			`{"platform":"java","exception":[{"type":"E","stacktrace":{"frames":[{"module":"a.Cart","function":"lambda$total$4","in_app":true}]}}]}`, true},
		{"rust hashes", exc("native", "E", "", "a.rs shop::pay::h0123456789abcdef 1 app"), exc("native", "E", "", "a.rs shop::pay::hfedcba9876543210 1 app"), true},
		{"c++ parameters", exc("native", "E", "", "a.cc Cart::add(int) 1 app"), exc("native", "E", "", "a.cc Cart::add(long) 1 app"), true},
		{"wrapper and bare list", `{"exception":{"values":[{"type":"E","value":"x"}]}}`, `{"exception":[{"type":"E","value":"x"}]}`, true},
		{"single object", `{"exception":{"type":"E","value":"x"}}`, `{"exception":[{"type":"E","value":"x"}]}`, true},

		{"no stack, other number", exc("python", "E", "order 12 failed"), exc("python", "E", "order 345 failed"), true},
		{"no stack, other words", exc("python", "E", "order failed"), exc("python", "E", "payment failed"), false},
		{"no stack, other type", exc("python", "E", "x"), exc("python", "F", "x"), false},
		{"no stack, only first line counts", exc("python", "E", `x\nDETAIL 1`), exc("python", "E", `x\nDETAIL: other`), true},
		{"empty frames are no stack", `{"exception":[{"type":"E","value":"x","stacktrace":{"frames":[]}}]}`, exc("", "E", "x"), true},

		{"chain: other cause", `{"exception":[{"type":"A","stacktrace":{"frames":[{"filename":"a.py","function":"f","in_app":true}]}},{"type":"B","stacktrace":{"frames":[{"filename":"b.py","function":"g","in_app":true}]}}]}`,
			`{"exception":[{"type":"C","stacktrace":{"frames":[{"filename":"a.py","function":"f","in_app":true}]}},{"type":"B","stacktrace":{"frames":[{"filename":"b.py","function":"g","in_app":true}]}}]}`, false},
		{"chain: with and without cause", `{"exception":[{"type":"A","value":"x"},{"type":"B","value":"y"}]}`, `{"exception":[{"type":"B","value":"y"}]}`, false},
		{"chain: text of a cause without stack", `{"exception":[{"type":"A","value":"boom ann"},{"type":"B","stacktrace":{"frames":[{"filename":"b.go","function":"g","in_app":true}]}}]}`,
			`{"exception":[{"type":"A","value":"boom bob"},{"type":"B","stacktrace":{"frames":[{"filename":"b.go","function":"g","in_app":true}]}}]}`, true},
		{"group: number of equal members", `{"exception":[{"type":"A","value":"x","mechanism":{"exception_id":2,"parent_id":0}},{"type":"A","value":"x"},{"type":"G","mechanism":{"is_exception_group":true,"exception_id":0},"stacktrace":{"frames":[{"filename":"b.py","function":"g","in_app":true}]}}]}`,
			`{"exception":[{"type":"A","value":"x"},{"type":"G","mechanism":{"is_exception_group":true,"exception_id":0},"stacktrace":{"frames":[{"filename":"b.py","function":"g","in_app":true}]}}]}`, true},
		{"synthetic types do not count", `{"exception":[{"type":"Error","value":"a","mechanism":{"synthetic":true},"stacktrace":{"frames":[{"filename":"b.js","function":"g","in_app":true}]}}]}`,
			`{"exception":[{"type":"SIGSEGV","value":"a","mechanism":{"synthetic":true},"stacktrace":{"frames":[{"filename":"b.js","function":"g","in_app":true}]}}]}`, true},

		{"thread: same stack", `{"message":"panic 1","level":"fatal","threads":[{"current":true,"stacktrace":{"frames":[{"filename":"a.go","function":"f","in_app":true}]}}]}`,
			`{"message":"panic two","level":"fatal","threads":[{"current":true,"stacktrace":{"frames":[{"filename":"a.go","function":"f","in_app":true}]}}]}`, true},
		{"thread: the crashed one counts", `{"threads":[{"crashed":true,"stacktrace":{"frames":[{"filename":"a.go","function":"f","in_app":true}]}},{"stacktrace":{"frames":[{"filename":"z.go","function":"z"}]}}]}`,
			`{"threads":[{"stacktrace":{"frames":[{"filename":"y.go","function":"y"}]}},{"crashed":true,"stacktrace":{"frames":[{"filename":"a.go","function":"f","in_app":true}]}}]}`, true},
		{"threads without a crash do not count", `{"message":"a","threads":[{"stacktrace":{"frames":[{"filename":"a.go","function":"f"}]}},{"stacktrace":{"frames":[{"filename":"b.go","function":"f"}]}}]}`,
			`{"message":"a"}`, true},
		{"template", `{"template":{"filename":"cart.html","lineno":3,"context_line":"{{ x }}"},"platform":"python"}`, `{"template":{"filename":"cart.html","lineno":9,"context_line":"{{ x }}"},"platform":"python"}`, true},

		{"message: same template", `{"logentry":{"message":"user %s failed","params":["ann"]}}`, `{"logentry":{"message":"user %s failed","params":["bob"]}}`, true},
		{"message: template and formatted", `{"logentry":{"message":"user %s failed","formatted":"user ann failed"}}`, `{"logentry":{"message":"user %s failed","formatted":"user bob failed"}}`, true},
		{"message: other template", `{"logentry":{"message":"user %s failed"}}`, `{"logentry":{"message":"order %s failed"}}`, false},
		{"message: other number", `{"message":"order 12 failed"}`, `{"message":"order 99 failed"}`, true},
		{"message: other uuid", `{"message":"job 7a3c1f9e-0c1d-4a7e-9b0a-2f8c1d3e4f50 failed"}`, `{"message":"job 00000000-1111-2222-3333-444455556666 failed"}`, true},
		{"message: other words", `{"message":"order failed"}`, `{"message":"order lost"}`, false},
		{"message: level does not count", `{"message":"a","level":"error"}`, `{"message":"a","level":"info"}`, true},
		{"message: logger does not count", `{"message":"a","logger":"x"}`, `{"message":"a","logger":"y"}`, true},
		{"message: release does not count", `{"message":"a","release":"1"}`, `{"message":"a","release":"2"}`, true},
		{"message and exception are apart", `{"message":"x"}`, exc("", "x", ""), false},
		{"nothing at all", `{}`, `{"event_id":"x"}`, true},
		{"nothing, other transaction", `{"transaction":"/a"}`, `{"transaction":"/b"}`, false},

		{"fingerprint: same", `{"message":"a","fingerprint":["x",1]}`, `{"message":"b","fingerprint":["x","1"]}`, true},
		{"fingerprint: other", `{"message":"a","fingerprint":["x"]}`, `{"message":"a","fingerprint":["y"]}`, false},
		{"fingerprint: order counts", `{"message":"a","fingerprint":["x","y"]}`, `{"message":"a","fingerprint":["y","x"]}`, false},
		{"fingerprint: parts do not run together", `{"message":"a","fingerprint":["xy"]}`, `{"message":"a","fingerprint":["x","y"]}`, false},
		{"fingerprint: only default", `{"message":"a","fingerprint":["{{ default }}"]}`, `{"message":"a"}`, true},
		{"fingerprint: default without spaces", `{"message":"a","fingerprint":["{{default}}"]}`, `{"message":"a"}`, true},
		{"fingerprint: default and more", `{"message":"a","fingerprint":["{{ default }}","x"]}`, `{"message":"a"}`, false},
		{"fingerprint: default keeps apart", `{"message":"a","fingerprint":["{{ default }}","x"]}`, `{"message":"b","fingerprint":["{{ default }}","x"]}`, false},
		{"fingerprint: variable", `{"message":"a","transaction":"/a","fingerprint":["{{ transaction }}"]}`, `{"message":"b","transaction":"/a","fingerprint":["{{ transaction }}"]}`, true},
		{"fingerprint: other variable", `{"message":"a","tags":{"k":"1"},"fingerprint":["{{ tags.k }}"]}`, `{"message":"a","tags":{"k":"2"},"fingerprint":["{{ tags.k }}"]}`, false},
		{"fingerprint: empty is none", `{"message":"a","fingerprint":[]}`, `{"message":"a"}`, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := Group(parse(t, c.a), Options{}), Group(parse(t, c.b), Options{})
			if got := sameIssue(a, b); got != c.same {
				t.Errorf("same issue: %v, want %v\n%v\n%v", got, c.same, a.Why, b.Why)
			}
		})
	}
}

func TestSecurityReports(t *testing.T) {
	t.Parallel()
	report := func(directive, blocked, page string) Result {
		events, err := sentry.ParseSecurity([]byte(`{"csp-report":{"effective-directive":"`+directive+`","blocked-uri":"`+blocked+`","document-uri":"`+page+`"}}`), arrived)
		if err != nil {
			t.Fatal(err)
		}
		return Group(events[0], Options{})
	}
	a := report("script-src", "https://evil.example/a.js", "https://x.org/1")
	if !sameIssue(a, report("script-src", "https://evil.example/b.js?x=1", "https://x.org/2")) {
		t.Error("the same host for the same directive is one problem")
	}
	if sameIssue(a, report("img-src", "https://evil.example/a.js", "https://x.org/1")) {
		t.Error("another directive is another problem")
	}
	if sameIssue(a, report("script-src", "https://other.example/a.js", "https://x.org/1")) {
		t.Error("another host is another problem")
	}
	if a.Title != "Blocked 'script' from 'evil.example'" || a.Culprit != "script-src" {
		t.Errorf("title %q, culprit %q", a.Title, a.Culprit)
	}
}

func TestTitlesAndCulprits(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, raw, title, culprit string }{
		{"exception", exc("python", "KeyError", `a\nb`, "app/views.py checkout 1 app", "lib/x.py get 1 lib"), "KeyError: a", "app/views.py in checkout"},
		{"module", `{"exception":[{"type":"E","stacktrace":{"frames":[{"module":"shop.views","function":"checkout","in_app":true}]}}]}`, "E", "shop.views.checkout"},
		{"go", `{"exception":[{"type":"*errors.errorString","value":"x","stacktrace":{"frames":[{"module":"main","function":"main.run","in_app":true}]}}]}`, "*errors.errorString: x", "main.run"},
		{"the thrown one of a chain", `{"exception":[{"type":"A","value":"cause"},{"type":"B","value":"outer"}]}`, "B: outer", ""},
		{"transaction", `{"transaction":"/cart","exception":[{"type":"E","value":"v"}]}`, "E: v", "/cart"},
		{"no type", `{"exception":[{"value":"hello"}]}`, "hello", ""},
		{"message", `{"message":"hello\nworld"}`, "hello", ""},
		{"logentry", `{"logentry":{"message":"user %s failed","params":["bob"]}}`, "user bob failed", ""},
		{"feedback", `{"type":"feedback","contexts":{"feedback":{"message":"It broke"}}}`, "User feedback: It broke", ""},
		{"nothing", `{}`, "(no message)", ""},
		{"anonymous", `{"exception":[{"type":"E","stacktrace":{"frames":[{"filename":"app.js","function":"?","in_app":true}]}}]}`, "E", "app.js"},
		{"synthetic", `{"exception":[{"type":"SIGSEGV","value":"bad","mechanism":{"synthetic":true},"stacktrace":{"frames":[{"filename":"a.c","function":"crash","in_app":true}]}}]}`, "crash: bad", "a.c in crash"},
		{"long", `{"message":"` + strings.Repeat("é", 300) + `"}`, strings.Repeat("é", 123) + "…", ""},
	}
	for _, c := range cases {
		r := Group(parse(t, c.raw), Options{})
		if r.Title != c.title || r.Culprit != c.culprit {
			t.Errorf("%s: title %q, culprit %q; want %q, %q", c.name, r.Title, r.Culprit, c.title, c.culprit)
		}
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, raw, want string }{
		{"frames", exc("python", "KeyError", "'a'", "lib/wsgi.py handle 1 lib", "app/urls.py route 1 app", "app/views.py checkout 20 app"),
			"Frames of your code: app/views.py checkout, app/urls.py route; type KeyError. / All frames: app/views.py checkout, app/urls.py route, lib/wsgi.py handle; type KeyError."},
		{"weak", exc("javascript", "Error", "cart 7 is empty", "app.js ? 1 app"),
			"Frames of your code: app.js; type Error; message cart <n> is empty (because the frames have neither names nor source)."},
		{"message", `{"message":"order 12 failed"}`, "The message, without what varies: order <n> failed."},
		{"template", `{"logentry":{"message":"user %s failed","params":["x"]}}`, "The message before its parameters are filled in: user %s failed."},
		{"fingerprint", `{"message":"a","fingerprint":["{{ default }}","x"]}`,
			"The client gave this fingerprint: {{ default }}, x. / The message, without what varies: a."},
	}
	for _, c := range cases {
		var got []string
		for _, w := range Group(parse(t, c.raw), Options{}).Why {
			got = append(got, w.Text)
		}
		if s := strings.Join(got, " / "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}

// What must not matter does not, for random events.
func TestWhatDoesNotMatter(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"cart", "order", "total", "pay", "user", "view"}
	for range 500 {
		e := sentry.Event{Platform: "python", Release: "1", Environment: "production"}
		for range 1 + r.IntN(3) {
			x := sentry.Exception{Type: words[r.IntN(6)], Value: words[r.IntN(6)]}
			s := &sentry.Stack{}
			for range r.IntN(6) {
				s.Frames = append(s.Frames, sentry.Frame{Filename: words[r.IntN(6)] + ".py", Function: words[r.IntN(6)], Line: r.IntN(900), InApp: r.IntN(2) == 0})
			}
			if len(s.Frames) > 0 {
				x.Stack = s
			}
			e.Exceptions = append(e.Exceptions, x)
		}
		for _, w := range words {
			e.Tags = append(e.Tags, sentry.Pair{Key: w, Value: w})
		}
		before := Group(e, Options{Terse: true})
		other := e
		other.Tags = append([]sentry.Pair(nil), e.Tags...)
		r.Shuffle(len(other.Tags), func(i, j int) { other.Tags[i], other.Tags[j] = other.Tags[j], other.Tags[i] })
		other.Release, other.ServerName, other.Level = "2", "other", "fatal"
		other.Exceptions = nil
		for _, x := range e.Exceptions {
			if x.Stack != nil {
				s := &sentry.Stack{Frames: append([]sentry.Frame(nil), x.Stack.Frames...)}
				for i := range s.Frames {
					s.Frames[i].Line += r.IntN(50)
					s.Frames[i].AbsPath = "/other/" + s.Frames[i].Filename
				}
				x.Stack = s
			}
			other.Exceptions = append(other.Exceptions, x)
		}
		after := Group(other, Options{})
		if len(before.Hashes) == 0 || len(before.Hashes) != len(after.Hashes) {
			t.Fatalf("hashes: %v and %v", before.Hashes, after.Hashes)
		}
		for i := range before.Hashes {
			if before.Hashes[i] != after.Hashes[i] {
				t.Fatalf("hash %d differs: %+v", i, e)
			}
		}
	}
}

// The hashes of version 1 may never change: every store is keyed by them.
func TestHashesStay(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		exc("python", "KeyError", "'a'", "lib/wsgi.py handle 10 lib", "app/views.py checkout 20 app"): "app:fbeeefdff730ec4592feec3353ebdc24 system:1c379a974a32ff44596d5681279153e3",
		`{"message":"order 12 failed"}`:            "message:afacd9bf9ed58fb822f5e67e568794c9",
		`{"message":"a","fingerprint":["x"]}`:      "fingerprint:515cd4cd69a166b2fb2d69114fb075c8",
		exc("go", "*errors.errorString", "boom 1"): "exception:4f886a000b62eb256250df12035e1715",
	}
	for raw, want := range cases {
		var got []string
		for _, h := range Group(parse(t, raw), Options{}).Hashes {
			got = append(got, string(h.Kind)+":"+h.Value)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s\n got %s\nwant %s", raw, s, want)
		}
	}
}
