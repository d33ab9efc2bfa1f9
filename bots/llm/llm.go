package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Tool is what a model may call.
type Tool struct {
	// Name has letters, digits, _ and -, at most 64: what every provider takes.
	Name, Description string
	// Schema is the JSON schema of its arguments, an object.
	Schema json.RawMessage
}

// Call is a tool that the model wants called.
type Call struct {
	ID, Name string
	Args     json.RawMessage
	// Malformed says why Args are not JSON, "" when they are: the model is told, and tries again.
	Malformed string
}

// Result answers a call.
type Result struct {
	CallID, Text string
	IsError      bool
}

// Message is one step of a conversation: a question, a reply with its calls, or the results of all those calls.
type Message struct {
	// FromModel is a reply; otherwise it is a question or results.
	FromModel bool
	Text      string
	Calls     []Call
	Results   []Result
}

// Request is all that a model sees.
type Request struct {
	System   string
	Messages []Message
	Tools    []Tool
	// MaxTokens bounds the reply.
	MaxTokens int
}

// Stop is why a reply ended.
type Stop string

// The reasons.
const (
	Done    Stop = "done"
	Tools   Stop = "tools"   // it wants calls
	Cut     Stop = "cut"     // MaxTokens were reached: calls of such a reply may be incomplete
	Refused Stop = "refused" // the provider or the model would not
)

// Usage counts tokens; Cached are those of In that cost less.
type Usage struct{ In, Out, Cached int64 }

// Reply is the model's turn.
type Reply struct {
	Text  string
	Calls []Call
	Usage Usage
	Stop  Stop
}

// Model takes one turn.
type Model interface {
	Turn(ctx context.Context, r Request) (Reply, error)
}

// Config says which model, and where.
type Config struct {
	// Provider is anthropic, bedrock or openai (and whatever speaks like it).
	Provider, Model, URL, Key string
	// Region, Key (an access key id) and Secret are for Bedrock; without Key the machine's role is asked.
	Region, Secret string
	// HTTP makes the calls.
	HTTP *http.Client
}

// New gives the configured model.
func New(c Config) (Model, error) {
	if c.HTTP == nil {
		return nil, errors.New("llm: no HTTP client")
	}
	if c.Model == "" {
		return nil, errors.New("llm: no model is named")
	}
	switch c.Provider {
	case "anthropic":
		return newAnthropic(c), nil
	case "bedrock":
		return newBedrock(c), nil
	case "openai":
		if c.URL == "" {
			c.URL = "https://api.openai.com/v1"
		}
		return &openAI{c}, nil
	}
	return nil, fmt.Errorf("llm: %q is none of anthropic, bedrock and openai", c.Provider)
}

// args gives what a model wrote as arguments: an object, or why it is none.
func args(raw []byte) (json.RawMessage, string) {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), "" // some servers refuse null
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return json.RawMessage("{}"), fmt.Sprintf("the arguments are no JSON object: %v", err)
	}
	return raw, ""
}
