package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// Kind is what has come in.
type Kind string

// The kinds.
const (
	Mention       Kind = "mention"        // the app was called by name
	Said          Kind = "said"           // a message where the app listens: direct, or in a channel
	Edited        Kind = "edited"         // a message was changed
	Command       Kind = "command"        // a slash command
	Pressed       Kind = "pressed"        // a button
	ThreadStarted Kind = "thread_started" // a conversation with the assistant was opened
	HomeOpened    Kind = "home_opened"    // the app's own page was opened
	Limited       Kind = "limited"        // Slack sends no more events for a while
	Challenge     Kind = "challenge"      // Slack tries the address
	Other         Kind = "other"          // nothing that concerns the app
)

// Incoming is whatever Slack tells, in one shape.
type Incoming struct {
	Kind Kind `json:"kind"`
	// ID is the event's, the same when Slack tells it again; "" for commands and buttons.
	ID        string `json:"id,omitempty"`
	Workspace string `json:"workspace,omitempty"`
	Channel   string `json:"channel,omitempty"`
	// Direct is a conversation with the app alone.
	Direct bool `json:"direct,omitempty"`
	// Shared is a channel that another workspace can see.
	Shared bool `json:"shared,omitempty"`
	// TS names the message, Thread the message that its thread hangs from.
	TS     string `json:"ts,omitempty"`
	Thread string `json:"thread,omitempty"`
	User   string `json:"user,omitempty"`
	// Home is the workspace that the user belongs to, when Slack says.
	Home string `json:"home,omitempty"`
	Name string `json:"name,omitempty"`
	Text string `json:"text,omitempty"`
	// Bot says that a program wrote it.
	Bot bool `json:"bot,omitempty"`
	// Action and Value are those of a button, Answer where to answer a command or button by its own address.
	Action    string `json:"action,omitempty"`
	Value     string `json:"value,omitempty"`
	Answer    string `json:"answer,omitempty"`
	Challenge string `json:"challenge,omitempty"`
}

type message struct {
	Type        string `json:"type"`
	Subtype     string `json:"subtype"`
	Text        string `json:"text"`
	User        string `json:"user"`
	BotID       string `json:"bot_id"`
	Team        string `json:"team"`
	UserTeam    string `json:"user_team"`
	TS          string `json:"ts"`
	Thread      string `json:"thread_ts"`
	Channel     string `json:"channel"`
	ChannelType string `json:"channel_type"`
	Tab         string `json:"tab"`
	// Message is the new one of an edit.
	Message *message `json:"message"`
	// AssistantThread comes with assistant_thread_started.
	AssistantThread struct {
		User    string `json:"user_id"`
		Channel string `json:"channel_id"`
		Thread  string `json:"thread_ts"`
	} `json:"assistant_thread"`
}

type envelope struct {
	Type      string          `json:"type"`
	Challenge string          `json:"challenge"`
	TeamID    string          `json:"team_id"`
	EventID   string          `json:"event_id"`
	Shared    bool            `json:"is_ext_shared_channel"`
	Event     json.RawMessage `json:"event"`
}

var errNoEvent = errors.New("slack: this is no event")

// ReadEvent reads what Slack tells of a workspace, over HTTP or as the payload of an events_api frame.
func ReadEvent(raw []byte) (Incoming, error) {
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		return Incoming{}, fmt.Errorf("slack: read an event: %w", err)
	}
	switch e.Type {
	case "url_verification":
		return Incoming{Kind: Challenge, Challenge: e.Challenge}, nil
	case "app_rate_limited":
		return Incoming{Kind: Limited, Workspace: e.TeamID}, nil
	case "event_callback":
	default:
		return Incoming{}, errNoEvent
	}
	var m message
	if err := json.Unmarshal(e.Event, &m); err != nil {
		return Incoming{}, fmt.Errorf("slack: read an event: %w", err)
	}
	in := Incoming{Kind: Other, ID: e.EventID, Workspace: e.TeamID, Channel: m.Channel, Direct: m.ChannelType == "im", Shared: e.Shared, TS: m.TS, Thread: m.Thread, User: m.User,
		Home: m.home(), Text: m.Text, Bot: m.BotID != ""}
	switch {
	case m.Type == "app_mention" && m.Subtype == "":
		in.Kind = Mention
	case m.Type == "message" && (m.Subtype == "" || m.Subtype == "file_share" || m.Subtype == "thread_broadcast"):
		in.Kind = Said
	case m.Type == "message" && m.Subtype == "bot_message":
		in.Bot = true
	case m.Type == "message" && m.Subtype == "message_changed" && m.Message != nil:
		in.Kind, in.TS, in.Thread, in.User, in.Text, in.Bot = Edited, m.Message.TS, m.Message.Thread, m.Message.User, m.Message.Text, m.Message.BotID != ""
	case m.Type == "assistant_thread_started":
		t := m.AssistantThread
		in.Kind, in.User, in.Channel, in.Thread, in.Direct = ThreadStarted, t.User, t.Channel, t.Thread, true
	case m.Type == "app_home_opened" && (m.Tab == "" || m.Tab == "home"):
		in.Kind = HomeOpened
	}
	return in, nil
}

func (m message) home() string {
	if m.UserTeam != "" {
		return m.UserTeam
	}
	return m.Team
}

// ReadPressed reads the payload of a pressed button.
func ReadPressed(raw []byte) (Incoming, error) {
	var p struct {
		Type string `json:"type"`
		User struct {
			ID   string `json:"id"`
			Name string `json:"username"`
			Team string `json:"team_id"`
		} `json:"user"`
		Team      struct{ ID string } `json:"team"`
		Channel   struct{ ID string } `json:"channel"`
		Container struct {
			TS      string `json:"message_ts"`
			Channel string `json:"channel_id"`
			Thread  string `json:"thread_ts"`
		} `json:"container"`
		ResponseURL string `json:"response_url"`
		Actions     []struct {
			ID    string `json:"action_id"`
			Value string `json:"value"`
		} `json:"actions"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return Incoming{}, fmt.Errorf("slack: read a button: %w", err)
	}
	in := Incoming{Kind: Other, Workspace: p.Team.ID, Channel: p.Container.Channel, TS: p.Container.TS, Thread: p.Container.Thread, User: p.User.ID, Home: p.User.Team, Name: p.User.Name, Answer: p.ResponseURL}
	if in.Channel == "" {
		in.Channel = p.Channel.ID
	}
	if p.Type == "block_actions" && len(p.Actions) == 1 {
		in.Kind, in.Action, in.Value = Pressed, p.Actions[0].ID, p.Actions[0].Value
	}
	return in, nil
}

// ReadCommand reads a slash command as Socket Mode has it.
func ReadCommand(raw []byte) (Incoming, error) {
	var c struct {
		Team    string `json:"team_id"`
		Channel string `json:"channel_id"`
		Room    string `json:"channel_name"`
		User    string `json:"user_id"`
		Name    string `json:"user_name"`
		Text    string `json:"text"`
		Answer  string `json:"response_url"`
		Command string `json:"command"`
		Trigger string `json:"trigger_id"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return Incoming{}, fmt.Errorf("slack: read a command: %w", err)
	}
	if c.Command == "" {
		return Incoming{}, errNoEvent
	}
	in := Incoming{Kind: Command, Workspace: c.Team, Channel: c.Channel, User: c.User, Name: c.Name, Text: c.Text, Answer: c.Answer, Direct: c.Room == "directmessage"}
	if c.Trigger != "" {
		in.ID = "trigger " + c.Trigger
	}
	return in, nil
}

// ReadBody reads what Slack posts over HTTP: events as JSON, buttons and commands as a form.
func ReadBody(body []byte) (Incoming, error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		return ReadEvent(body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Incoming{}, fmt.Errorf("slack: read a form: %w", err)
	}
	if p := form.Get("payload"); p != "" {
		return ReadPressed([]byte(p))
	}
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return Incoming{}, err
	}
	return ReadCommand(raw)
}
