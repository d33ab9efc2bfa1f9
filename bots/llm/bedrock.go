package llm

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// bedrock speaks Converse, which has one shape for all of Bedrock's models.
type bedrock struct {
	model  string
	client *bedrockruntime.Client
}

func newBedrock(c Config) *bedrock {
	options := bedrockruntime.Options{Region: c.Region, HTTPClient: c.HTTP, RetryMaxAttempts: 1}
	if c.Key != "" {
		options.Credentials = credentials.NewStaticCredentialsProvider(c.Key, c.Secret, "")
	}
	if c.URL != "" {
		options.BaseEndpoint = aws.String(c.URL)
	}
	return &bedrock{model: c.Model, client: bedrockruntime.New(options)}
}

func (b *bedrock) Turn(ctx context.Context, r Request) (Reply, error) {
	in := &bedrockruntime.ConverseInput{ModelId: aws.String(b.model), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(int32(r.MaxTokens))}}
	if r.System != "" {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: r.System}}
	}
	for _, t := range r.Tools {
		var schema any
		if err := json.Unmarshal(t.Schema, &schema); err != nil {
			return Reply{}, fmt.Errorf("the schema of tool %s: %w", t.Name, err)
		}
		if in.ToolConfig == nil {
			in.ToolConfig = &types.ToolConfiguration{}
		}
		in.ToolConfig.Tools = append(in.ToolConfig.Tools, &types.ToolMemberToolSpec{Value: types.ToolSpecification{Name: aws.String(t.Name), Description: aws.String(t.Description),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(schema)}}})
	}
	for _, m := range r.Messages {
		message, err := converseMessage(m)
		if err != nil {
			return Reply{}, err
		}
		in.Messages = append(in.Messages, message)
	}
	out, err := b.client.Converse(ctx, in)
	if err != nil {
		return Reply{}, err
	}
	return readConverse(out)
}

func converseMessage(m Message) (types.Message, error) {
	out := types.Message{Role: types.ConversationRoleUser}
	if m.FromModel {
		out.Role = types.ConversationRoleAssistant
	}
	for _, r := range m.Results {
		status := types.ToolResultStatusSuccess
		if r.IsError {
			status = types.ToolResultStatusError
		}
		out.Content = append(out.Content, &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String(r.CallID), Status: status,
			Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: r.Text}}}})
	}
	if m.Text != "" {
		out.Content = append(out.Content, &types.ContentBlockMemberText{Value: m.Text})
	}
	for _, c := range m.Calls {
		var value any
		if err := json.Unmarshal(c.Args, &value); err != nil {
			return out, fmt.Errorf("the arguments of %s: %w", c.Name, err)
		}
		out.Content = append(out.Content, &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: aws.String(c.ID), Name: aws.String(c.Name), Input: document.NewLazyDocument(value)}})
	}
	return out, nil
}

func readConverse(out *bedrockruntime.ConverseOutput) (Reply, error) {
	reply := Reply{Stop: Done}
	if out.Usage != nil {
		reply.Usage = Usage{In: int64(aws.ToInt32(out.Usage.InputTokens)), Out: int64(aws.ToInt32(out.Usage.OutputTokens)), Cached: int64(aws.ToInt32(out.Usage.CacheReadInputTokens))}
	}
	message, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return reply, fmt.Errorf("the model's answer is no message")
	}
	for _, block := range message.Value.Content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			reply.Text += b.Value
		case *types.ContentBlockMemberToolUse:
			call := Call{ID: aws.ToString(b.Value.ToolUseId), Name: aws.ToString(b.Value.Name)}
			raw, err := b.Value.Input.MarshalSmithyDocument()
			if err != nil {
				return reply, fmt.Errorf("the arguments of %s: %w", call.Name, err)
			}
			call.Args, call.Malformed = args(raw)
			reply.Calls = append(reply.Calls, call)
		}
	}
	switch out.StopReason {
	case types.StopReasonMaxTokens:
		reply.Stop = Cut
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		reply.Stop = Refused
	case types.StopReasonToolUse:
		reply.Stop = Tools
	}
	return reply, nil
}
