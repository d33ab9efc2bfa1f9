package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// openAI speaks chat completions, as
// https://platform.openai.com/docs/api-reference/chat describes them. Our own
// because local servers differ in small ways: arguments as an object instead of
// text, calls without an id, content null.
type openAI struct{ Config }

type chatMessage struct {
	Role       string     `json:"role"`
	Content    *string    `json:"content"`
	ToolCalls  []chatCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type chatCall struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type chatTool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// maxReply bounds what a provider may answer, in bytes.
const maxReply = 8 << 20

func (o *openAI) Turn(ctx context.Context, r Request) (Reply, error) {
	in := struct {
		Model     string        `json:"model"`
		Messages  []chatMessage `json:"messages"`
		Tools     []chatTool    `json:"tools,omitempty"`
		MaxTokens int           `json:"max_tokens,omitempty"`
	}{o.Model, chatMessages(r), chatTools(r.Tools), r.MaxTokens}
	body, err := json.Marshal(in)
	if err != nil {
		return Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(o.URL, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return Reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if o.Key != "" {
		req.Header.Set("Authorization", "Bearer "+o.Key)
	}
	answer, err := o.HTTP.Do(req)
	if err != nil {
		return Reply{}, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxReply))
	if err != nil {
		return Reply{}, err
	}
	if answer.StatusCode != http.StatusOK {
		return Reply{}, fmt.Errorf("the model's server answered %s: %.300s", answer.Status, raw)
	}
	return readChat(raw)
}

func chatMessages(r Request) []chatMessage {
	text := func(s string) *string { return &s }
	var out []chatMessage
	if r.System != "" {
		out = append(out, chatMessage{Role: "system", Content: text(r.System)})
	}
	for _, m := range r.Messages {
		for _, result := range m.Results { // one message a call; the protocol has no sign for errors
			said := result.Text
			if result.IsError {
				said = "Error: " + said
			}
			out = append(out, chatMessage{Role: "tool", ToolCallID: result.CallID, Content: text(said)})
		}
		switch {
		case m.FromModel:
			reply := chatMessage{Role: "assistant", Content: text(m.Text)}
			for _, c := range m.Calls {
				call := chatCall{ID: c.ID, Type: "function"}
				call.Function.Name = c.Name
				call.Function.Arguments, _ = json.Marshal(string(c.Args)) // text cannot fail
				reply.ToolCalls = append(reply.ToolCalls, call)
			}
			out = append(out, reply)
		case m.Text != "":
			out = append(out, chatMessage{Role: "user", Content: text(m.Text)})
		}
	}
	return out
}

func chatTools(list []Tool) []chatTool {
	out := make([]chatTool, len(list))
	for i, t := range list {
		out[i].Type = "function"
		out[i].Function.Name, out[i].Function.Description, out[i].Function.Parameters = t.Name, t.Description, t.Schema
	}
	return out
}

func readChat(raw []byte) (Reply, error) {
	var out struct {
		Choices []struct {
			Message      chatMessage `json:"message"`
			FinishReason string      `json:"finish_reason"`
		} `json:"choices"`
		Usage struct {
			PromptTokens     int64 `json:"prompt_tokens"`
			CompletionTokens int64 `json:"completion_tokens"`
			Details          struct {
				CachedTokens int64 `json:"cached_tokens"`
			} `json:"prompt_tokens_details"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return Reply{}, fmt.Errorf("read the model's answer: %w", err)
	}
	if len(out.Choices) == 0 {
		return Reply{}, fmt.Errorf("the model's answer has no choice: %.300s", raw)
	}
	c := out.Choices[0]
	reply := Reply{Usage: Usage{out.Usage.PromptTokens, out.Usage.CompletionTokens, out.Usage.Details.CachedTokens}, Stop: Done}
	if c.Message.Content != nil {
		reply.Text = *c.Message.Content
	}
	for i, call := range c.Message.ToolCalls {
		written := []byte(call.Function.Arguments)
		var text string
		if json.Unmarshal(written, &text) == nil { // as text, which is the usual form
			written = []byte(text)
		}
		made := Call{ID: call.ID, Name: call.Function.Name}
		if made.ID == "" {
			made.ID = "call_" + strconv.Itoa(i)
		}
		made.Args, made.Malformed = args(written)
		reply.Calls = append(reply.Calls, made)
	}
	switch {
	case c.FinishReason == "length":
		reply.Stop = Cut
	case c.FinishReason == "content_filter":
		reply.Stop = Refused
	case len(reply.Calls) > 0:
		reply.Stop = Tools
	}
	return reply, nil
}
