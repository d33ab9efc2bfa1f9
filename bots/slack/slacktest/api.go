package slacktest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// call is one call of a method.
type call struct {
	method, token string
	form          map[string]string
}

func (c call) get(name string) string { return c.form[name] }

type reply map[string]any

func refuse(code string) reply { return reply{"ok": false, "error": code} }

func (s *Server) routes() {
	s.mux.HandleFunc("POST /api/{method}", s.handle)
	s.mux.HandleFunc("GET /api/{method}", s.handle)
	s.mux.HandleFunc("GET /link", s.accept)
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	c, err := readCall(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.calls[c.method]++
	fault := s.faults[c.method]
	if fault != nil {
		copied := *fault
		if fault.Times--; fault.Times == 0 {
			delete(s.faults, c.method)
		}
		fault = &copied
	}
	var out reply
	if fault == nil || fault.After {
		out = s.answer(c)
	}
	scopes := strings.Join(s.Scopes, ",")
	s.touched()
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-OAuth-Scopes", scopes)
	switch {
	case fault == nil:
	case fault.RetryAfter > 0:
		w.Header().Set("Retry-After", seconds(fault.RetryAfter))
		w.WriteHeader(http.StatusTooManyRequests)
		out = refuse("ratelimited")
	case fault.Status != 0:
		http.Error(w, "broken", fault.Status)
		return
	default:
		out = refuse(fault.Code)
	}
	json.NewEncoder(w).Encode(out)
}

// readCall takes what apps send: forms or JSON, the token in either or in a header.
func readCall(r *http.Request) (call, error) {
	c := call{method: r.PathValue("method"), form: map[string]string{}}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var body map[string]json.RawMessage
		if r.ContentLength != 0 {
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				return c, err
			}
		}
		for name, raw := range body {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				text = string(raw)
			}
			c.form[name] = text
		}
	} else {
		if err := r.ParseForm(); err != nil {
			return c, err
		}
		for name := range r.Form {
			c.form[name] = r.Form.Get(name)
		}
	}
	c.token = c.form["token"]
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = bearer
	}
	return c, nil
}

// answer does what a method says; with the lock held.
func (s *Server) answer(c call) reply {
	if c.method == "apps.connections.open" {
		if c.token != AppToken {
			return refuse("not_allowed_token_type")
		}
		return reply{"ok": true, "url": "ws" + strings.TrimPrefix(s.url, "http") + "/link?ticket=" + s.stamp()}
	}
	if c.token != BotToken {
		return refuse("invalid_auth")
	}
	methods := map[string]func(call) reply{
		"auth.test": func(call) reply {
			return reply{"ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "signalbox", "team_id": Workspace, "user_id": BotUser, "bot_id": BotID}
		},
		"users.info": s.userInfo, "conversations.info": s.channelInfo, "conversations.open": s.open, "conversations.replies": s.replies, "conversations.history": s.replies,
		"chat.postMessage": s.post, "chat.update": s.update, "chat.delete": s.remove, "chat.postEphemeral": s.post,
		"chat.startStream": s.startStream, "chat.appendStream": s.appendStream, "chat.stopStream": s.stopStream,
		"assistant.threads.setStatus": func(call) reply { return reply{"ok": true} }, "assistant.threads.setSuggestedPrompts": s.suggest, "views.publish": s.publish,
	}
	if method := methods[c.method]; method != nil {
		return method(c)
	}
	return refuse("unknown_method")
}

func (s *Server) userInfo(c call) reply {
	u, ok := s.users[c.get("user")]
	if !ok {
		return refuse("user_not_found")
	}
	return reply{"ok": true, "user": reply{"id": u.ID, "team_id": u.Workspace, "name": u.Name, "real_name": strings.ToUpper(u.Name[:1]) + u.Name[1:], "tz": u.Zone, "is_bot": u.Bot,
		"is_restricted": u.Guest, "is_stranger": u.Stranger, "profile": reply{"email": u.Email, "display_name": u.Name}}}
}

func (s *Server) channelInfo(c call) reply {
	ch, ok := s.channels[c.get("channel")]
	if !ok {
		return refuse("channel_not_found")
	}
	return reply{"ok": true, "channel": reply{"id": ch.ID, "name": ch.Name, "is_private": ch.Private, "is_ext_shared": ch.Shared, "is_member": !ch.Closed}}
}

func (s *Server) open(c call) reply {
	user := c.get("users")
	if _, ok := s.users[user]; !ok {
		return refuse("user_not_found")
	}
	return reply{"ok": true, "channel": reply{"id": "D" + user}}
}

func (s *Server) replies(c call) reply {
	list := []reply{}
	for _, m := range s.messages {
		if m.Channel != c.get("channel") || m.Gone || m.OnlyFor != "" || c.get("ts") != "" && m.Thread != c.get("ts") && m.TS != c.get("ts") {
			continue
		}
		one := reply{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "thread_ts": m.Thread}
		if m.Key != "" {
			one["metadata"] = reply{"event_type": "signalbox_message", "event_payload": reply{"key": m.Key}}
		}
		list = append(list, one)
	}
	return reply{"ok": true, "messages": list, "has_more": false}
}

// content checks what a message holds against Slack's bounds, and puts it in.
func (s *Server) content(m *Message, c call) reply {
	if t := c.get("text"); t != "" {
		m.Text = t
	}
	if raw := c.get("blocks"); raw != "" {
		var blocks []struct {
			Text struct {
				Text string `json:"text"`
			} `json:"text"`
		}
		if json.Unmarshal([]byte(raw), &blocks) != nil || len(blocks) > 50 {
			return refuse("invalid_blocks")
		}
		for _, b := range blocks {
			if utf8.RuneCountInString(b.Text.Text) > 3000 {
				return refuse("invalid_blocks")
			}
		}
		m.Blocks = json.RawMessage(raw)
	}
	if utf8.RuneCountInString(m.Text) > 40_000 {
		return refuse("msg_too_long")
	}
	var metadata struct {
		Payload struct {
			Key string `json:"key"`
		} `json:"event_payload"`
	}
	if json.Unmarshal([]byte(c.get("metadata")), &metadata) == nil && metadata.Payload.Key != "" {
		m.Key = metadata.Payload.Key
	}
	return nil
}

// room gives the channel that a name means; users' names mean their direct messages.
func (s *Server) room(name string) (string, reply) {
	if strings.HasPrefix(name, "U") {
		name = "D" + name
	}
	if strings.HasPrefix(name, "D") {
		return name, nil
	}
	ch, ok := s.channels[name]
	switch {
	case !ok:
		return "", refuse("channel_not_found")
	case ch.Closed:
		return "", refuse("not_in_channel")
	}
	return name, nil
}

func (s *Server) post(c call) reply {
	channel, no := s.room(c.get("channel"))
	if no != nil {
		return no
	}
	if c.method == "chat.postMessage" && (c.get("unfurl_links") != "false" || c.get("unfurl_media") != "false") {
		s.broken = append(s.broken, "a message lets links unfurl")
	}
	m := &Message{Channel: channel, TS: s.stamp(), Thread: c.get("thread_ts"), User: BotUser, At: time.Now()}
	if c.method == "chat.postEphemeral" {
		m.OnlyFor = c.get("user")
	}
	if no := s.content(m, c); no != nil {
		return no
	}
	s.messages = append(s.messages, m)
	return s.posted(m)
}

func (s *Server) posted(m *Message) reply {
	return reply{"ok": true, "channel": m.Channel, "ts": m.TS, "message_ts": m.TS, "text": m.Text, "message": reply{"type": "message", "user": BotUser, "bot_id": BotID, "text": m.Text, "ts": m.TS, "thread_ts": m.Thread}}
}

func (s *Server) update(c call) reply {
	m := s.find(c.get("channel"), c.get("ts"))
	switch {
	case m == nil:
		return refuse("message_not_found")
	case m.User != BotUser:
		return refuse("cant_update_message")
	case m.Stream:
		return refuse("streaming_state_conflict")
	}
	if no := s.content(m, c); no != nil {
		return no
	}
	m.Edits++
	return s.posted(m)
}

func (s *Server) remove(c call) reply {
	m := s.find(c.get("channel"), c.get("ts"))
	if m == nil {
		return refuse("message_not_found")
	}
	m.Gone = true
	return reply{"ok": true, "channel": m.Channel, "ts": m.TS}
}

func (s *Server) startStream(c call) reply {
	channel, no := s.room(c.get("channel"))
	switch {
	case no != nil:
		return no
	case c.get("thread_ts") == "":
		return refuse("invalid_arguments")
	case !strings.HasPrefix(channel, "D") && c.get("recipient_team_id") == "":
		return refuse("missing_recipient_team_id")
	case !strings.HasPrefix(channel, "D") && c.get("recipient_user_id") == "":
		return refuse("missing_recipient_user_id")
	}
	m := &Message{Channel: channel, TS: s.stamp(), Thread: c.get("thread_ts"), User: BotUser, Stream: true, At: time.Now()}
	if no := s.grow(m, c); no != nil {
		return no
	}
	s.messages = append(s.messages, m)
	return s.posted(m)
}

func (s *Server) grow(m *Message, c call) reply {
	m.Text += c.get("markdown_text")
	var chunks []struct{ Type, ID, Title, Status string }
	if raw := c.get("chunks"); raw != "" && json.Unmarshal([]byte(raw), &chunks) != nil {
		return refuse("invalid_chunks")
	}
	for _, chunk := range chunks {
		m.Tasks = append(m.Tasks, chunk.Title+" "+chunk.Status)
	}
	return nil
}

func (s *Server) appendStream(c call) reply {
	m := s.find(c.get("channel"), c.get("ts"))
	switch {
	case m == nil:
		return refuse("message_not_found")
	case !m.Stream:
		return refuse("message_not_in_streaming_state")
	}
	m.Edits++
	if no := s.grow(m, c); no != nil {
		return no
	}
	return s.posted(m)
}

func (s *Server) stopStream(c call) reply {
	m := s.find(c.get("channel"), c.get("ts"))
	switch {
	case m == nil:
		return refuse("message_not_found")
	case !m.Stream:
		return refuse("message_not_in_streaming_state")
	}
	m.Stream = false
	if no := s.grow(m, c); no != nil {
		return no
	}
	if no := s.content(m, c); no != nil {
		return no
	}
	return s.posted(m)
}

func (s *Server) suggest(c call) reply {
	var list []struct{ Message string }
	if json.Unmarshal([]byte(c.get("prompts")), &list) != nil {
		return refuse("invalid_arguments")
	}
	s.prompts = nil
	for _, p := range list {
		s.prompts = append(s.prompts, p.Message)
	}
	return reply{"ok": true}
}

func (s *Server) publish(c call) reply {
	s.homes[c.get("user_id")] = json.RawMessage(c.get("view"))
	return reply{"ok": true, "view": reply{}}
}
