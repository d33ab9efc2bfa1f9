package slack

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// Message is what is said: paragraphs, a small line below, buttons. It is plain
// data, so that it can lie in a row until it is sent.
type Message struct {
	// Channel and Thread are where; Thread may be empty.
	Channel string `json:"channel"`
	Thread  string `json:"thread,omitempty"`
	// Text is what notifications show, and what shows where blocks do not; mrkdwn, escaped.
	Text string `json:"text"`
	// Sections are mrkdwn, escaped; Text alone when there are none.
	Sections []string `json:"sections,omitempty"`
	// Footer is a small line of mrkdwn.
	Footer  string   `json:"footer,omitempty"`
	Buttons []Button `json:"buttons,omitempty"`
	// Key tells a message from others of the app, so that it is found again after a doubt.
	Key string `json:"key,omitempty"`
}

// Button is pressed, or leads somewhere.
type Button struct {
	// Action says what is pressed; Value goes with it and is never more than an id.
	Action string `json:"action"`
	Label  string `json:"label"`
	Value  string `json:"value,omitempty"`
	URL    string `json:"url,omitempty"`
	// Style is primary or danger; neither when empty.
	Style string `json:"style,omitempty"`
}

// eventType names our metadata in messages.
const eventType = "signalbox_message"

// Bounds of Slack, in characters.
const (
	maxText, maxSection, maxLabel, maxURL = 3900, 2950, 75, 3000
	maxButtons, maxSections               = 25, 40
)

func (m Message) blocks() []slack.Block {
	var out []slack.Block
	sections := m.Sections
	if len(sections) == 0 && m.Text != "" {
		sections = []string{m.Text}
	}
	for _, s := range sections[:min(len(sections), maxSections)] {
		text := slack.NewTextBlockObject(slack.MarkdownType, cut(s, maxSection), false, true) // verbatim: nothing becomes a link or a ping by itself
		out = append(out, slack.NewSectionBlock(text, nil, nil))
	}
	if m.Footer != "" {
		out = append(out, slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, cut(m.Footer, maxSection), false, true)))
	}
	var buttons []slack.BlockElement
	for _, b := range m.Buttons[:min(len(m.Buttons), maxButtons)] {
		element := slack.NewButtonBlockElement(b.Action, b.Value, slack.NewTextBlockObject(slack.PlainTextType, cut(b.Label, maxLabel), false, false))
		element.Style = slack.Style(b.Style)
		if b.URL != "" && len(b.URL) <= maxURL {
			element.URL = b.URL
		}
		buttons = append(buttons, element)
	}
	if len(buttons) > 0 {
		out = append(out, slack.NewActionBlock("", buttons...))
	}
	return out
}

// cut shortens a text without halving a character, an entity or a link.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	short := string([]rune(text)[:n-1])
	for _, pair := range []string{"<>", "&;"} {
		if open := strings.LastIndexByte(short, pair[0]); open > strings.LastIndexByte(short, pair[1]) && (pair[0] == '<' || len(short)-open < 6) {
			short = short[:open]
		}
	}
	return short + "…"
}

func (m Message) options() []slack.MsgOption {
	list := []slack.MsgOption{slack.MsgOptionText(cut(m.Text, maxText), false), slack.MsgOptionBlocks(m.blocks()...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if m.Key != "" {
		list = append(list, slack.MsgOptionMetadata(slack.SlackMetadata{EventType: eventType, EventPayload: map[string]any{"key": m.Key}}))
	}
	return list
}

// Post says something new and gives its time, which is its name. A message to a user's id goes to them directly.
func (c *Client) Post(ctx context.Context, m Message) (channel, ts string, err error) {
	options := m.options()
	if m.Thread != "" {
		options = append(options, slack.MsgOptionTS(m.Thread))
	}
	channel, ts, _, err = c.api.SendMessageContext(ctx, m.Channel, append(options, slack.MsgOptionPost())...)
	return channel, ts, err
}

// Update says something else in a message's place.
func (c *Client) Update(ctx context.Context, m Message, ts string) error {
	_, _, _, err := c.api.UpdateMessageContext(ctx, m.Channel, ts, m.options()...)
	return err
}

// Whisper says something that only one user sees, until they reload.
func (c *Client) Whisper(ctx context.Context, user string, m Message) error {
	options := m.options()
	if m.Thread != "" {
		options = append(options, slack.MsgOptionTS(m.Thread))
	}
	_, err := c.api.PostEphemeralContext(ctx, m.Channel, user, options...)
	return err
}

// Find looks for a message with a key in a thread, or among the newest of a channel; "" when there is none.
func (c *Client) Find(ctx context.Context, channel, thread, key string) (string, error) {
	var list []slack.Message
	if thread != "" {
		all, _, _, err := c.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{ChannelID: channel, Timestamp: thread, IncludeAllMetadata: true, Limit: 200})
		if err != nil {
			return "", err
		}
		list = all
	} else {
		page, err := c.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{ChannelID: channel, IncludeAllMetadata: true, Limit: 100})
		if err != nil {
			return "", err
		}
		list = page.Messages
	}
	for _, m := range list {
		if m.Metadata.EventType == eventType && m.Metadata.EventPayload["key"] == key {
			return m.Timestamp, nil
		}
	}
	return "", nil
}

// Task is one line of what is being done.
type Task struct {
	ID, Title    string
	Done, Failed bool
}

func (t Task) chunk() slack.TaskUpdateChunk {
	chunk := slack.NewTaskUpdateChunk(t.ID, t.Title)
	switch {
	case t.Failed:
		chunk.Status = "error"
	case t.Done:
		chunk.Status = "complete"
	default:
		chunk.Status = "in_progress"
	}
	return chunk
}

// Begin opens a message that grows. In channels Slack wants to know for whom.
func (c *Client) Begin(ctx context.Context, channel, thread, workspace, user string, tasks ...Task) (ts string, err error) {
	options := []slack.MsgOption{slack.MsgOptionTS(thread), slack.MsgOptionRecipientTeamID(workspace), slack.MsgOptionRecipientUserID(user),
		slack.MsgOptionTaskDisplayMode(slack.TaskDisplayModeTimeline)}
	_, ts, err = c.api.StartStreamContext(ctx, channel, append(options, chunks(tasks)...)...)
	return ts, err
}

// Append tells how tasks go.
func (c *Client) Append(ctx context.Context, channel, ts string, tasks ...Task) error {
	_, _, err := c.api.AppendStreamContext(ctx, channel, ts, chunks(tasks)...)
	return err
}

// Finish ends a growing message with what there was to say. It is then edited once, because
// what a stream carries as text is read as another Markdown than the rest.
func (c *Client) Finish(ctx context.Context, m Message, ts string) error {
	_, _, err := c.api.StopStreamContext(ctx, m.Channel, ts, slack.MsgOptionBlocks(m.blocks()...))
	if err != nil && Code(err) != "message_not_in_streaming_state" {
		return err
	}
	return c.Update(ctx, m, ts)
}

func chunks(tasks []Task) []slack.MsgOption {
	if len(tasks) == 0 {
		return nil
	}
	list := make([]slack.StreamChunk, len(tasks))
	for i, t := range tasks {
		list[i] = t.chunk()
	}
	return []slack.MsgOption{slack.MsgOptionChunks(list...)}
}

// Prompts offers questions at the beginning of a thread with an assistant.
func (c *Client) Prompts(ctx context.Context, channel, thread string, questions []string) error {
	p := slack.AssistantThreadsSetSuggestedPromptsParameters{ChannelID: channel, ThreadTS: thread}
	for _, q := range questions {
		p.AddPrompt(q, q)
	}
	return c.api.SetAssistantThreadsSuggestedPromptsContext(ctx, p)
}

// Home shows a user the app's own page.
func (c *Client) Home(ctx context.Context, user string, m Message) error {
	_, err := c.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user,
		View: slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: m.blocks()}}})
	return err
}

// Payload is a message as the answer to a slash command: only who typed it sees it.
func (m Message) Payload() json.RawMessage {
	raw, err := json.Marshal(map[string]any{"response_type": "ephemeral", "text": cut(m.Text, maxText), "blocks": m.blocks(), "unfurl_links": false, "unfurl_media": false})
	if err != nil { // blocks of our own making
		panic(errors.Join(errors.New("a message of ours is no JSON"), err))
	}
	return raw
}

// Delete takes a message of the app back.
func (c *Client) Delete(ctx context.Context, channel, ts string) error {
	_, _, err := c.api.DeleteMessageContext(ctx, channel, ts)
	return err
}
