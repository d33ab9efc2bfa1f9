package slack

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/name, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got) {
		t.Errorf("%s:\n%s\nis not\n%s", name, got, want)
	}
}

var payloads = map[string]struct {
	read func([]byte) (Incoming, error)
	raw  string
}{
	"mention":   {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev1","is_ext_shared_channel":true,"event":{"type":"app_mention","text":"<@U222> hey","user":"U111","ts":"1605853844.000800","team":"T111","channel":"C111"}}`},
	"thread":    {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev2","event":{"type":"message","channel_type":"channel","text":"and?","user":"U111","ts":"2.2","thread_ts":"1.1","channel":"C111","user_team":"T999"}}`},
	"direct":    {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev3","event":{"type":"message","channel_type":"im","text":"hey","user":"U111","ts":"3.3","channel":"D111"}}`},
	"bot":       {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev4","event":{"type":"message","subtype":"bot_message","bot_id":"B9","text":"hey","ts":"4.4","channel":"C111"}}`},
	"edited":    {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev5","event":{"type":"message","subtype":"message_changed","channel":"C111","ts":"9.9","message":{"type":"message","user":"U111","text":"other","ts":"4.4"}}}`},
	"deleted":   {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev6","event":{"type":"message","subtype":"message_deleted","channel":"C111","ts":"9.9"}}`},
	"assistant": {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev7","event":{"type":"assistant_thread_started","assistant_thread":{"user_id":"U111","channel_id":"D111","thread_ts":"7.7"}}}`},
	"home":      {ReadEvent, `{"team_id":"T111","type":"event_callback","event_id":"Ev8","event":{"type":"app_home_opened","user":"U111","channel":"D111","tab":"home"}}`},
	"challenge": {ReadBody, `{"token":"x","challenge":"abc","type":"url_verification"}`},
	"limited":   {ReadEvent, `{"type":"app_rate_limited","team_id":"T111","minute_rate_limited":1518467820}`},
	"pressed":   {ReadPressed, `{"type":"block_actions","user":{"id":"U111","username":"ann","team_id":"T111"},"container":{"type":"message","message_ts":"5.5","channel_id":"C111","thread_ts":"4.4"},"team":{"id":"T111"},"channel":{"id":"C111"},"response_url":"https://hooks.slack.com/x","actions":[{"action_id":"approve","type":"button","value":"run-1"}]}`},
	"command":   {ReadCommand, `{"team_id":"T111","channel_id":"D1","channel_name":"directmessage","user_id":"U111","user_name":"ann","command":"/signalbox","text":"help","response_url":"https://hooks.slack.com/x","trigger_id":"1.2"}`},
	"form":      {ReadBody, "team_id=T111&channel_id=C1&channel_name=dev&user_id=U111&user_name=ann&command=%2Fsignalbox&text=which+builds%3F&trigger_id=1.2"},
	"payload":   {ReadBody, "payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22U1%22%7D%2C%22actions%22%3A%5B%7B%22action_id%22%3A%22a%22%2C%22value%22%3A%22v%22%7D%5D%7D"},
}

func TestRead(t *testing.T) {
	t.Parallel()
	all := map[string]Incoming{}
	for name, p := range payloads {
		in, err := p.read([]byte(p.raw))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		all[name] = in
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "incoming.json", append(got, '\n'))
	for _, bad := range []string{"", "{", "[]", `{"type":"other"}`, `{"type":"event_callback","event":3}`, "a=b", "payload=x", "%"} {
		if in, err := ReadBody([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, in)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, p := range payloads {
		f.Add([]byte(p.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, read := range []func([]byte) (Incoming, error){ReadBody, ReadEvent, ReadPressed, ReadCommand} {
			if in, err := read(raw); err == nil && in.Kind == "" {
				t.Errorf("%q is of no kind", raw)
			}
		}
	})
}

func TestVerify(t *testing.T) {
	t.Parallel()
	// The example that Slack publishes.
	const secret, stamp = "8f742231b10e8888abcd99yyyzzz85a5", "1531420618"
	body := []byte("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c")
	const signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	at := time.Unix(1531420618, 0)
	for name, c := range map[string]struct {
		secret, stamp, signature string
		body                     []byte
		now                      time.Time
		ok                       bool
	}{
		"as published":   {secret, stamp, signature, body, at, true},
		"minutes later":  {secret, stamp, signature, body, at.Add(4 * time.Minute), true},
		"too old":        {secret, stamp, signature, body, at.Add(6 * time.Minute), false},
		"from later":     {secret, stamp, signature, body, at.Add(-6 * time.Minute), false},
		"another secret": {"x", stamp, signature, body, at, false},
		"no secret":      {"", stamp, Sign("", stamp, body), body, at, false},
		"another body":   {secret, stamp, signature, append([]byte("a=b&"), body...), at, false},
		"another time":   {secret, "1531420619", signature, body, at, false},
		"no time":        {secret, "", signature, body, at, false},
		"no signature":   {secret, stamp, "", body, at, false},
	} {
		h := http.Header{}
		h.Set("X-Slack-Request-Timestamp", c.stamp)
		h.Set("X-Slack-Signature", c.signature)
		if err := Verify(c.secret, h, c.body, c.now); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func github(host string) bool { return host == "github.com" || host == "box.example:8080" }

func TestMrkdwn(t *testing.T) {
	t.Parallel()
	for markdown, want := range map[string]string{
		"**bold** and plain":                     "*bold* and plain",
		"- [#12 A bug](https://github.com/a/12)": "• <https://github.com/a/12|#12 A bug>",
		"# Title":                                "*Title*",
		"[out](https://evil.example/x) ![i](https://github.com/i.png)": "out i",
		"see https://evil.example/x, https://github.com/y.":            "see `https://evil.example/x`, <https://github.com/y|https://github.com/y>.",
		"&lt;!channel&gt; <@U1> & co":                                  "&lt;!channel&gt; &lt;@U1&gt; &amp; co",
		`\[not\](a link) \*star\*`:                                     "[not](a link) *star*",
		"[<!here>|x](https://github.com/a|b)":                          "<https://github.com/a%7Cb|&lt;!here&gt;¦x>",
		"[user](https://ann@github.com/)":                              "user",
		"[js](javascript:alert(1))":                                    "js)",
		"a `code & <b>` b":                                             "a `code &amp; &lt;b&gt;` b",
		"```go\na < b\n```":                                            "```\na &lt; b\n```",
		"```\nopen":                                                    "```\nopen\n```",
		"[page](http://box.example:8080/teams/main)":                   "<http://box.example:8080/teams/main|page>",
	} {
		if got := Mrkdwn(markdown, github); got != want {
			t.Errorf("%q is %q, not %q", markdown, got, want)
		}
	}
}

// FuzzMrkdwn: whatever an answer holds, it pings nobody and leads nowhere else.
func FuzzMrkdwn(f *testing.F) {
	for _, seed := range []string{"<!channel>", "[<@U1>](https://github.com/<!here>)", "**<!everyone>**", "`<@U1>`", "&amp;lt;!channel&amp;gt;", "[a](https://github.com/x|<!channel>)", "https://github.com/<!channel>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out := Mrkdwn(text, github)
		for rest := out; ; {
			_, after, found := strings.Cut(rest, "<")
			if !found {
				return
			}
			if !strings.HasPrefix(after, "https://github.com") && !strings.HasPrefix(after, "http://github.com") && !strings.Contains(strings.ToLower(after[:min(len(after), 40)]), "://github.com") && !strings.Contains(strings.ToLower(after[:min(len(after), 40)]), "://box.example:8080") {
				t.Fatalf("%q becomes %q", text, out)
			}
			rest = after
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"<@U222> which builds?":                        "which builds?",
		"<@U222|bot>  ask <@U1|ann> in <#C1|dev>":      "ask @ann in #dev",
		"see <https://x.test/a|the page> &amp; &lt;b>": "see the page & <b>",
		"<!here> <https://x.test>":                     "here https://x.test",
	} {
		if got := Words(typed, "U222"); got != want {
			t.Errorf("%q is %q, not %q", typed, got, want)
		}
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	golden(t, "manifest-socket.yaml", []byte(Manifest("Signalbox", "")))
	golden(t, "manifest-http.yaml", []byte(Manifest("Signalbox", "https://box.example/hooks/slack")))
}

func TestMessageBounds(t *testing.T) {
	t.Parallel()
	link := Link("a label", "https://github.com/acme/shop")
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("é", 5000), strings.Repeat("x", 2940) + link, strings.Repeat("x", 2946) + "&amp;"} {
		for _, s := range []string{cut(text, maxSection)} {
			if n := len([]rune(s)); n > maxSection || strings.Count(s, "<") != strings.Count(s, ">") || strings.HasSuffix(strings.TrimSuffix(s, "…"), "&am") {
				t.Errorf("a text of %d is cut to %d: …%q", len(text), n, s[max(0, len(s)-30):])
			}
		}
	}
	m := Message{Text: strings.Repeat("x", 9000), Sections: make([]string, 90), Buttons: make([]Button, 40)}
	for i := range m.Sections {
		m.Sections[i] = "s"
	}
	if n := len(m.blocks()); n > 50 {
		t.Errorf("a message has %d blocks", n)
	}
	if len(m.Payload()) > 20<<10 {
		t.Errorf("an acknowledgement has %d bytes", len(m.Payload()))
	}
}
