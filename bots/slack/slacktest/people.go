package slacktest

import "time"

// Event wraps an inner event as Slack does; id may be "" for a fresh one.
func (s *Server) Event(id string, inner map[string]any, shared bool) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		id = "Ev" + s.stamp()
	}
	return map[string]any{"token": "x", "team_id": Workspace, "api_app_id": "A111", "type": "event_callback", "event_id": id, "event_time": 1605853844, "is_ext_shared_channel": shared,
		"authorizations": []any{map[string]any{"team_id": Workspace, "user_id": BotUser, "is_bot": true}}, "event": inner}
}

// Send gives an event to the app over a socket.
func (s *Server) Send(event map[string]any) { s.push("events_api", event, false) }

// Write puts a person's message into a channel and gives its time; the app is not told.
func (s *Server) Write(user, channel, thread, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Message{Channel: channel, TS: s.stamp(), Thread: thread, User: user, Text: text, At: time.Now()}
	s.messages = append(s.messages, m)
	return m.TS
}

// Mentioned is the inner event of a message that names the app.
func (s *Server) Mentioned(user, channel, thread, ts, text string) map[string]any {
	e := s.Told(user, channel, thread, ts, text)
	e["type"] = "app_mention"
	delete(e, "channel_type")
	return e
}

// Told is the inner event of a message.
func (s *Server) Told(user, channel, thread, ts, text string) map[string]any {
	s.mu.Lock()
	home := s.users[user].Workspace
	s.mu.Unlock()
	kind := "channel"
	if channel[0] == 'D' {
		kind = "im"
	}
	e := map[string]any{"type": "message", "text": text, "user": user, "ts": ts, "team": home, "channel": channel, "event_ts": ts, "channel_type": kind}
	if thread != "" {
		e["thread_ts"] = thread
	}
	return e
}

// Mention asks the app in a channel and gives the message's time. As in Slack it is told
// twice: as a mention, and as a message of the channel.
func (s *Server) Mention(user, channel, thread, text string) string {
	full := "<@" + BotUser + "> " + text
	ts := s.Write(user, channel, thread, full)
	s.mu.Lock()
	shared := s.channels[channel].Shared
	s.mu.Unlock()
	s.Send(s.Event("", s.Mentioned(user, channel, thread, ts, full), shared))
	s.Send(s.Event("", s.Told(user, channel, thread, ts, full), shared))
	return ts
}

// Say writes where the app listens, without naming it.
func (s *Server) Say(user, channel, thread, text string) string {
	ts := s.Write(user, channel, thread, text)
	s.Send(s.Event("", s.Told(user, channel, thread, ts, text), false))
	return ts
}

// Type types a slash command.
func (s *Server) Type(user, channel, text string) {
	s.push("slash_commands", s.CommandOf(user, channel, text), true)
}

// CommandOf is the payload of a slash command.
func (s *Server) CommandOf(user, channel, text string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.channels[channel].Name
	if channel[0] == 'D' {
		room = "directmessage"
	}
	return map[string]any{"token": "x", "team_id": Workspace, "team_domain": "acme", "channel_id": channel, "channel_name": room, "user_id": user, "user_name": s.users[user].Name,
		"command": "/signalbox", "text": text, "api_app_id": "A111", "response_url": "https://hooks.slack.com/commands/T111/1/x", "trigger_id": "trigger." + s.stamp()}
}

// Press presses a button of a message.
func (s *Server) Press(user string, m Message, action, value string) {
	s.push("interactive", s.PressOf(user, m, action, value), false)
}

// PressOf is the payload of a pressed button.
func (s *Server) PressOf(user string, m Message, action, value string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[user]
	return map[string]any{"type": "block_actions", "user": map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Workspace}, "api_app_id": "A111", "token": "x",
		"container": map[string]any{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": false, "thread_ts": m.Thread}, "trigger_id": "111.222." + s.stamp(),
		"team": map[string]any{"id": Workspace, "domain": "acme"}, "channel": map[string]any{"id": m.Channel, "name": "x"}, "response_url": "https://hooks.slack.com/actions/T111/1/x",
		"actions": []any{map[string]any{"action_id": action, "block_id": "b", "type": "button", "value": value, "action_ts": "1605853645.582706"}}}
}

// OpenAssistant opens a conversation with the app's assistant.
func (s *Server) OpenAssistant(user string) (channel, thread string) {
	channel = "D" + user
	thread = s.Write(BotUser, channel, "", "New conversation")
	s.Send(s.Event("", map[string]any{"type": "assistant_thread_started", "assistant_thread": map[string]any{"user_id": user, "context": map[string]any{}, "channel_id": channel, "thread_ts": thread}, "event_ts": thread}, false))
	return channel, thread
}

// OpenHome opens the app's own page.
func (s *Server) OpenHome(user string) {
	s.Send(s.Event("", map[string]any{"type": "app_home_opened", "user": user, "channel": "D" + user, "tab": "home", "event_ts": "1.1"}, false))
}

// Edit changes a person's message.
func (s *Server) Edit(user, channel, ts, text string) {
	s.Send(s.Event("", map[string]any{"type": "message", "subtype": "message_changed", "channel": channel, "channel_type": "channel", "ts": "9.9",
		"message": map[string]any{"type": "message", "user": user, "text": text, "ts": ts}}, false))
}

// Forget deletes a message, as whoever may do that in Slack.
func (s *Server) Forget(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.find(channel, ts); m != nil {
		m.Gone = true
	}
}
