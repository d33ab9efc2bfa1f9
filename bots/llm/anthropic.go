package llm

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// claude speaks Anthropic's Messages; of the library only that call is used.
type claude struct {
	model  string
	client anthropic.Client
}

func newAnthropic(c Config) *claude {
	options := []option.RequestOption{option.WithAPIKey(c.Key), option.WithHTTPClient(c.HTTP), option.WithMaxRetries(0)}
	if c.URL != "" {
		options = append(options, option.WithBaseURL(c.URL))
	}
	return &claude{model: c.Model, client: anthropic.NewClient(options...)}
}

func (a *claude) Turn(ctx context.Context, r Request) (Reply, error) {
	params := anthropic.MessageNewParams{Model: a.model, MaxTokens: int64(r.MaxTokens)}
	if r.System != "" {
		// What does not change from turn to turn is cached by the provider.
		params.System = []anthropic.TextBlockParam{{Text: r.System, CacheControl: anthropic.NewCacheControlEphemeralParam()}}
	}
	for _, t := range r.Tools {
		var schema map[string]any
		if err := json.Unmarshal(t.Schema, &schema); err != nil {
			return Reply{}, fmt.Errorf("the schema of tool %s: %w", t.Name, err)
		}
		delete(schema, "type")
		tool := anthropic.ToolParam{Name: t.Name, Description: anthropic.String(t.Description), InputSchema: anthropic.ToolInputSchemaParam{ExtraFields: schema}}
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &tool})
	}
	for _, m := range r.Messages {
		params.Messages = append(params.Messages, claudeMessage(m))
	}
	out, err := a.client.Messages.New(ctx, params)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{Stop: Done, Usage: Usage{In: out.Usage.InputTokens + out.Usage.CacheReadInputTokens + out.Usage.CacheCreationInputTokens, Out: out.Usage.OutputTokens, Cached: out.Usage.CacheReadInputTokens}}
	for _, block := range out.Content {
		switch block.Type {
		case "text":
			reply.Text += block.Text
		case "tool_use":
			call := Call{ID: block.ID, Name: block.Name}
			call.Args, call.Malformed = args(block.Input)
			reply.Calls = append(reply.Calls, call)
		}
	}
	switch out.StopReason {
	case anthropic.StopReasonMaxTokens:
		reply.Stop = Cut
	case anthropic.StopReasonRefusal:
		reply.Stop = Refused
	case anthropic.StopReasonToolUse:
		reply.Stop = Tools
	}
	return reply, nil
}

// claudeMessage writes a step; all results of a turn go into one message, directly behind the calls.
func claudeMessage(m Message) anthropic.MessageParam {
	var blocks []anthropic.ContentBlockParamUnion
	for _, r := range m.Results {
		blocks = append(blocks, anthropic.NewToolResultBlock(r.CallID, r.Text, r.IsError))
	}
	if m.Text != "" {
		blocks = append(blocks, anthropic.NewTextBlock(m.Text))
	}
	for _, c := range m.Calls {
		blocks = append(blocks, anthropic.NewToolUseBlock(c.ID, c.Args, c.Name))
	}
	if m.FromModel {
		return anthropic.NewAssistantMessage(blocks...)
	}
	return anthropic.NewUserMessage(blocks...)
}
