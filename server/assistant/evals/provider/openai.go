package provider

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/signalbox/signalbox/bots/llm"
)

type chatMessage struct {
	Role      string  `json:"role"`
	Content   *string `json:"content"`
	ToolCalls []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
	ToolCallID string `json:"tool_call_id"`
}

func readChat(raw json.RawMessage) (llm.Request, error) {
	var in struct {
		Messages []chatMessage `json:"messages"`
		Tools    []struct {
			Function struct {
				Name        string          `json:"name"`
				Description string          `json:"description"`
				Parameters  json.RawMessage `json:"parameters"`
			} `json:"function"`
		} `json:"tools"`
		MaxTokens int `json:"max_tokens"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return llm.Request{}, err
	}
	out := llm.Request{MaxTokens: in.MaxTokens}
	for _, t := range in.Tools {
		out.Tools = append(out.Tools, llm.Tool{Name: t.Function.Name, Description: t.Function.Description, Schema: t.Function.Parameters})
	}
	for i, m := range in.Messages {
		if err := addChat(&out, m); err != nil {
			return out, fmt.Errorf("message %d: %w", i, err)
		}
	}
	return out, paired(out.Messages)
}

func addChat(out *llm.Request, m chatMessage) error {
	text := ""
	if m.Content != nil {
		text = *m.Content
	}
	last := len(out.Messages) - 1
	switch m.Role {
	case "system":
		out.System = text
	case "user":
		// Text behind results belongs to them: the other protocols have it in the same message.
		if last >= 0 && !out.Messages[last].FromModel && len(out.Messages[last].Results) > 0 {
			out.Messages[last].Text = text
			return nil
		}
		out.Messages = append(out.Messages, llm.Message{Text: text})
	case "tool":
		result := llm.Result{CallID: m.ToolCallID}
		result.Text, result.IsError = strings.CutPrefix(text, "Error: ")
		if last >= 0 && !out.Messages[last].FromModel && len(out.Messages[last].Results) > 0 {
			out.Messages[last].Results = append(out.Messages[last].Results, result)
			return nil
		}
		out.Messages = append(out.Messages, llm.Message{Results: []llm.Result{result}})
	case "assistant":
		reply := llm.Message{FromModel: true, Text: text}
		for _, c := range m.ToolCalls {
			reply.Calls = append(reply.Calls, llm.Call{ID: c.ID, Name: c.Function.Name, Args: json.RawMessage(c.Function.Arguments)})
		}
		out.Messages = append(out.Messages, reply)
	default:
		return fmt.Errorf("the role is %q", m.Role)
	}
	return nil
}

func writeChat(r llm.Reply) any {
	calls := []any{}
	for _, c := range r.Calls {
		calls = append(calls, map[string]any{"id": c.ID, "type": "function", "function": map[string]any{"name": c.Name, "arguments": string(c.Args)}})
	}
	message := map[string]any{"role": "assistant", "content": r.Text}
	if len(calls) > 0 {
		message["tool_calls"] = calls
	}
	reason := map[llm.Stop]string{llm.Done: "stop", llm.Tools: "tool_calls", llm.Cut: "length", llm.Refused: "content_filter"}[r.Stop]
	return map[string]any{"choices": []any{map[string]any{"message": message, "finish_reason": reason}}, "usage": map[string]any{"prompt_tokens": r.Usage.In, "completion_tokens": r.Usage.Out}}
}
