package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/signalbox/signalbox/bots/llm"
)

// protocol reads a request of a provider's and writes its answer.
type protocol struct {
	path  func(model string) string
	read  func(raw json.RawMessage) (llm.Request, error)
	write func(llm.Reply) any
}

var protocols = map[string]protocol{
	"openai":    {func(string) string { return "/chat/completions" }, readChat, writeChat},
	"anthropic": {func(string) string { return "/v1/messages" }, readMessages, writeMessages},
	"bedrock":   {func(model string) string { return "/model/" + model + "/converse" }, readConverse, writeConverse},
}

// Names are the protocols.
var Names = []string{"openai", "anthropic", "bedrock"}

// Name is what the scripted model is called.
const Name = "scripted"

// Serve has a model answer over a provider's protocol.
func Serve(name string, model llm.Model) http.Handler {
	p := protocols[name]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<20)).Decode(&raw); err != nil || p.path == nil || r.URL.Path != p.path(Name) {
			http.Error(w, fmt.Sprintf(`{"error":{"type":"invalid_request_error","message":"%s at %s: %v"}}`, name, r.URL.Path, err), http.StatusBadRequest)
			return
		}
		request, err := p.read(raw)
		var reply llm.Reply
		if err == nil {
			reply, err = model.Turn(r.Context(), request)
		}
		if err != nil {
			text, _ := json.Marshal(err.Error()) // text cannot fail
			http.Error(w, fmt.Sprintf(`{"error":{"type":"invalid_request_error","message":%s}}`, text), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(p.write(reply)); err != nil {
			return // whoever asked has gone
		}
	})
}

// paired refuses results that answer no call of the message before, which every provider does.
func paired(messages []llm.Message) error {
	var open []string
	for i, m := range messages {
		if len(m.Results) != len(open) {
			return fmt.Errorf("message %d answers %d of %d calls", i, len(m.Results), len(open))
		}
		for _, r := range m.Results {
			if !strings.Contains(strings.Join(open, "\n")+"\n", r.CallID+"\n") {
				return fmt.Errorf("message %d answers call %s, which nobody made", i, r.CallID)
			}
		}
		open = nil
		for _, c := range m.Calls {
			open = append(open, c.ID)
		}
	}
	return nil
}
