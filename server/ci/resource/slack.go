package resource

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// slackType says something in Slack, through an incoming webhook.
type slackType struct{ opts Options }

type slackSource struct {
	url      string
	disabled bool
	web      webSettings
}

func (t slackType) source(req Request) (slackSource, error) {
	f := sourceOf(req)
	s := slackSource{url: f.required("url"), disabled: f.boolean("disable"), web: webSettings{insecure: f.boolean("insecure")}}
	if f.err == nil {
		checkAddress(f, "url", s.url)
	}
	if _, list := f.values["ca_certs"].([]any); list {
		for _, m := range f.objects("ca_certs") {
			item := fields{where: "source.ca_certs", values: m}
			s.web.certificates = append(s.web.certificates, item.required("cert"))
			if item.err != nil {
				return s, item.err
			}
		}
	}
	f.refuse("proxy", "proxy_https_tunnel")
	// The whole address is the password.
	s.web.secrets = append(s.web.secrets, s.url)
	if _, path, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s.url, "https://"), "http://"), "/"); ok {
		s.web.secrets = append(s.web.secrets, path)
	}
	return s, f.err
}

// Check echoes the version it is given: only puts make versions.
func (t slackType) Check(_ context.Context, req Request) ([]Version, error) {
	if _, err := t.source(req); err != nil {
		return nil, err
	}
	return echo(req.Version), nil
}

// Get writes the version as a file: there is nothing to fetch.
func (t slackType) Get(ctx context.Context, req Request) (Result, error) {
	if _, err := t.source(req); err != nil {
		return Result{}, err
	}
	return getVersionFile(ctx, req)
}

// slackMessage is what the webhook takes.
type slackMessage struct {
	Text        string `json:"text,omitempty"`
	Channel     string `json:"channel,omitempty"`
	Username    string `json:"username,omitempty"`
	IconURL     string `json:"icon_url,omitempty"`
	IconEmoji   string `json:"icon_emoji,omitempty"`
	LinkNames   bool   `json:"link_names,omitempty"`
	Attachments any    `json:"attachments,omitempty"`
	Blocks      any    `json:"blocks,omitempty"`
}

const (
	noNotification = "_(no notification provided)_"
	missingText    = "_(missing notification text)_"
)

// Put sends the message to each channel.
func (t slackType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	message, channels, err := t.message(ctx, req)
	if err != nil {
		return Result{}, err
	}
	result := Result{Version: Version{"timestamp": strconv.FormatInt(t.opts.now().Unix(), 10)}}
	if s.disabled {
		_, err := fmt.Fprintln(req.Log, "source.disable is true: nothing was sent")
		return result, err
	}
	w, err := newWeb(t.opts, req, "Slack", s.web)
	if err != nil {
		return Result{}, err
	}
	defer w.close()
	for _, channel := range channels {
		message.Channel = channel
		body, err := json.Marshal(message)
		if err != nil {
			return Result{}, err
		}
		_, err = w.do(ctx, exchange{
			method: http.MethodPost, url: s.url, body: body, again: true,
			header: http.Header{"Content-Type": {"application/json"}},
		})
		if err != nil {
			return Result{}, failed(ctx, req, "out", err)
		}
		where := cmp.Or(channel, "the webhook's channel")
		if _, err := fmt.Fprintf(req.Log, "sent to %s\n", where); err != nil {
			return Result{}, err
		}
		result.Metadata = append(result.Metadata, Field{Name: "channel", Value: where})
	}
	return result, nil
}

// message builds what is said, and the channels to say it in: "" is the webhook's own.
func (t slackType) message(ctx context.Context, req Request) (slackMessage, []string, error) {
	f := paramsOf(req)
	text, attachments, blocks := f.text("text"), f.values["attachments"], f.values["blocks"]
	content, err := slackFile(ctx, req, f)
	if err != nil {
		return slackMessage{}, nil, err
	}
	extra := map[string]string{"TEXT_FILE_CONTENT": content}
	replace := func(text string) string { return expand(text, req.Env, extra) }
	m := slackMessage{
		Username: replace(f.text("username")), IconURL: replace(f.text("icon_url")), IconEmoji: replace(f.text("icon_emoji")),
		LinkNames: f.boolean("link_names"), Attachments: expandAll(attachments, replace), Blocks: expandAll(blocks, replace),
	}
	given := text != "" || f.text("text_file") != ""
	if !given && attachments == nil && blocks == nil {
		if !f.boolean("always_notify") {
			f.fail("text", "is missing. Add it, or params.text_file, params.attachments or params.blocks.")
		}
		given = true
	}
	switch {
	case text != "":
		m.Text = replace(text)
	case f.text("text_file") != "":
		m.Text = replace(content)
	default:
		m.Text = ""
	}
	if given && strings.TrimSpace(m.Text) == "" && attachments == nil {
		m.Text = missingText
	}
	for _, key := range []string{"attachments", "blocks"} {
		if _, list := f.values[key].([]any); f.values[key] != nil && !list {
			f.wrong(key, "a list", f.values[key])
		}
	}
	channels := strings.Fields(replace(f.text("channel")))
	if len(channels) == 0 {
		channels = []string{""}
	}
	return m, channels, f.err
}

// slackFile is the text file's content. That it is missing is said in the message:
// better than to fail where somebody waits to be told.
func slackFile(ctx context.Context, req Request, f *fields) (string, error) {
	name := f.text("text_file")
	if name == "" {
		return noNotification, f.err
	}
	content, err := paramFile(ctx, req, f, "text_file")
	var missing *missingInputError
	if errors.Is(err, fs.ErrNotExist) || errors.As(err, &missing) {
		_, logErr := fmt.Fprintln(req.Log, err)
		return noNotification, logErr
	}
	if err != nil {
		return "", failed(ctx, req, "out", err)
	}
	return content, nil
}
