package provider

import (
	"encoding/json"

	"github.com/signalbox/signalbox/bots/llm"
)

// part is a part of a message, as Bedrock's Converse writes it.
type part struct {
	Text    *string `json:"text"`
	ToolUse *struct {
		ToolUseID string          `json:"toolUseId"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
	} `json:"toolUse"`
	ToolResult *struct {
		ToolUseID string `json:"toolUseId"`
		Status    string `json:"status"`
		Content   []part `json:"content"`
	} `json:"toolResult"`
}

func readConverse(raw json.RawMessage) (llm.Request, error) {
	var in struct {
		System   []part `json:"system"`
		Messages []struct {
			Role    string `json:"role"`
			Content []part `json:"content"`
		} `json:"messages"`
		ToolConfig struct {
			Tools []struct {
				ToolSpec struct {
					Name        string `json:"name"`
					Description string `json:"description"`
					InputSchema struct {
						JSON json.RawMessage `json:"json"`
					} `json:"inputSchema"`
				} `json:"toolSpec"`
			} `json:"tools"`
		} `json:"toolConfig"`
		InferenceConfig struct {
			MaxTokens int `json:"maxTokens"`
		} `json:"inferenceConfig"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return llm.Request{}, err
	}
	out := llm.Request{MaxTokens: in.InferenceConfig.MaxTokens, System: textOf(in.System)}
	for _, t := range in.ToolConfig.Tools {
		out.Tools = append(out.Tools, llm.Tool{Name: t.ToolSpec.Name, Description: t.ToolSpec.Description, Schema: t.ToolSpec.InputSchema.JSON})
	}
	for _, m := range in.Messages {
		message := llm.Message{FromModel: m.Role == "assistant", Text: textOf(m.Content)}
		for _, p := range m.Content {
			if p.ToolUse != nil {
				message.Calls = append(message.Calls, llm.Call{ID: p.ToolUse.ToolUseID, Name: p.ToolUse.Name, Args: p.ToolUse.Input})
			}
			if r := p.ToolResult; r != nil {
				message.Results = append(message.Results, llm.Result{CallID: r.ToolUseID, Text: textOf(r.Content), IsError: r.Status == "error"})
			}
		}
		out.Messages = append(out.Messages, message)
	}
	return out, paired(out.Messages)
}

func textOf(list []part) string {
	text := ""
	for _, p := range list {
		if p.Text != nil {
			text += *p.Text
		}
	}
	return text
}

func writeConverse(r llm.Reply) any {
	content := []any{}
	if r.Text != "" {
		content = append(content, map[string]any{"text": r.Text})
	}
	for _, c := range r.Calls {
		content = append(content, map[string]any{"toolUse": map[string]any{"toolUseId": c.ID, "name": c.Name, "input": c.Args}})
	}
	reason := map[llm.Stop]string{llm.Done: "end_turn", llm.Tools: "tool_use", llm.Cut: "max_tokens", llm.Refused: "content_filtered"}[r.Stop]
	return map[string]any{"output": map[string]any{"message": map[string]any{"role": "assistant", "content": content}}, "stopReason": reason,
		"usage": map[string]any{"inputTokens": r.Usage.In, "outputTokens": r.Usage.Out, "totalTokens": r.Usage.In + r.Usage.Out}, "metrics": map[string]any{"latencyMs": 1}}
}
