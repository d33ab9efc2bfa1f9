package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// post sends JSON and sorts the answers: taken, later, never.
func (s *Service) post(ctx context.Context, t target, body []byte, header http.Header) *failure {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return &failure{words: "The address is not one that can be called.", final: true}
	}
	if header != nil {
		r.Header = header
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Signalbox")
	res, err := s.client.Do(r)
	if err != nil {
		return &failure{words: explain(err)}
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 300))
	if err != nil && res.StatusCode/100 != 2 {
		said = nil
	}
	if res.StatusCode/100 == 2 {
		return nil
	}
	words := fmt.Sprintf("%s answered %d", r.URL.Host, res.StatusCode)
	if text := oneLine(string(said)); text != "" && !strings.HasPrefix(text, "<") {
		words += ": " + text
	}
	switch res.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return &failure{words: words, after: retryAfter(res.Header, s.Now())}
	}
	if res.StatusCode >= 500 {
		return &failure{words: words, after: retryAfter(res.Header, s.Now())}
	}
	return &failure{words: words, final: true}
}

// explain is the cause without the address, which may be a secret.
func explain(err error) string {
	if p := problem.From(err); p.Kind != problem.Internal {
		return p.Detail
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return err.Error()
}

// retryAfter reads seconds or a date; 0 when there is neither.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(longestWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// webhookMessage is the body of a generic webhook.
type webhookMessage struct {
	Delivery int64 `json:"delivery"`
	Message
}

// webhookBody is the body with the headers that prove whence it comes and when: the
// signature is over the time, a dot and the body, so that an old one is no proof.
func (s *Service) webhookBody(t target, d deliveryRow, m Message) ([]byte, http.Header) {
	body := []byte(encode(webhookMessage{d.ID, m}))
	at := strconv.FormatInt(s.Now().Unix(), 10)
	return body, http.Header{
		"X-Signalbox-Event":         {string(m.Event)},
		"X-Signalbox-Delivery":      {strconv.FormatInt(d.ID, 10)},
		"X-Signalbox-Timestamp":     {at},
		"X-Signalbox-Signature-256": {"sha256=" + sign(t.Secret, at, body)},
	}
}

func sign(secret, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// slackText is one text object.
type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type string    `json:"type"`
	Text slackText `json:"text"`
}

type slackMessage struct {
	// Text is what notifications show.
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

// slackEscape is all that Slack asks for; nothing in a message can then name a channel or a person.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// maxSlack is a little below what Slack allows in one block.
const maxSlack = 2900

func slackBody(m Message) []byte {
	title := "*" + slackEscape.Replace(strings.ReplaceAll(m.Title, "*", "∗")) + "*"
	if m.URL != "" {
		title = "<" + slackEscape.Replace(strings.ReplaceAll(m.URL, "|", "%7C")) + "|" + title + ">"
	}
	if m.Text != "" {
		title += "\n" + slackEscape.Replace(m.Text)
	}
	section := func(text string) slackBlock { return slackBlock{"section", slackText{"mrkdwn", text}} }
	out := slackMessage{Text: slackEscape.Replace(m.Title), Blocks: []slackBlock{section(title)}}
	if quote := quoted(m.Lines); quote != "" {
		out.Blocks = append(out.Blocks, section("```\n"+quote+"\n```"))
	}
	return []byte(encode(out))
}

// quoted keeps as many of the last lines as fit into a block.
func quoted(lines []string) string {
	from, size := len(lines), 0
	escaped := make([]string, len(lines))
	for i := len(lines) - 1; i >= 0; i-- {
		escaped[i] = slackEscape.Replace(strings.ReplaceAll(lines[i], "```", "'''"))
		if size += len([]rune(escaped[i])) + 1; size > maxSlack {
			break
		}
		from = i
	}
	return strings.Join(escaped[from:], "\n")
}
