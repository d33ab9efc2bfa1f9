package provider

import (
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/bots/llm"
)

// block is a part of a message, as Anthropic writes it.
type block struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	IsError   bool            `json:"is_error"`
	Content   []block         `json:"content"`
}

func readMessages(raw json.RawMessage) (llm.Request, error) {
	var in struct {
		System   []block `json:"system"`
		Messages []struct {
			Role    string  `json:"role"`
			Content []block `json:"content"`
		} `json:"messages"`
		Tools []struct {
			Name        string          `json:"name"`
			Description string          `json:"description"`
			InputSchema json.RawMessage `json:"input_schema"`
		} `json:"tools"`
		MaxTokens int `json:"max_tokens"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return llm.Request{}, err
	}
	out := llm.Request{MaxTokens: in.MaxTokens}
	for _, s := range in.System {
		out.System += s.Text
	}
	for _, t := range in.Tools {
		out.Tools = append(out.Tools, llm.Tool{Name: t.Name, Description: t.Description, Schema: t.InputSchema})
	}
	for i, m := range in.Messages {
		if i > 0 && in.Messages[i-1].Role == m.Role {
			return out, fmt.Errorf("messages %d and %d have the same role", i-1, i)
		}
		message := llm.Message{FromModel: m.Role == "assistant"}
		for _, b := range m.Content {
			switch b.Type {
			case "text":
				message.Text += b.Text
			case "tool_use":
				message.Calls = append(message.Calls, llm.Call{ID: b.ID, Name: b.Name, Args: b.Input})
			case "tool_result":
				result := llm.Result{CallID: b.ToolUseID, IsError: b.IsError}
				for _, c := range b.Content {
					result.Text += c.Text
				}
				message.Results = append(message.Results, result)
			default:
				return out, fmt.Errorf("message %d has a block of type %q", i, b.Type)
			}
		}
		out.Messages = append(out.Messages, message)
	}
	return out, paired(out.Messages)
}

func writeMessages(r llm.Reply) any {
	content := []any{}
	if r.Text != "" {
		content = append(content, map[string]any{"type": "text", "text": r.Text})
	}
	for _, c := range r.Calls {
		content = append(content, map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": c.Args})
	}
	reason := map[llm.Stop]string{llm.Done: "end_turn", llm.Tools: "tool_use", llm.Cut: "max_tokens", llm.Refused: "refusal"}[r.Stop]
	return map[string]any{"id": "msg_1", "type": "message", "role": "assistant", "model": Name, "content": content, "stop_reason": reason, "usage": map[string]any{"input_tokens": r.Usage.In, "output_tokens": r.Usage.Out}}
}
