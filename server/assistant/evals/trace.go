package evals

import "encoding/json"

// Trace is a run as the server recorded it; its JSON is that of the API.
type Trace struct {
	ID       string `json:"id"`
	Thread   string `json:"thread"`
	Question string `json:"question"`
	Reading  string `json:"reading"`
	Planner  string `json:"planner"`
	Status   string `json:"status"`
	Answer   struct {
		Text       string   `json:"text"`
		Unverified []string `json:"unverified"`
	} `json:"answer"`
	Steps     []Step `json:"steps"`
	TokensIn  int64  `json:"tokens_in"`
	TokensOut int64  `json:"tokens_out"`
	Millis    int64  `json:"milliseconds"`
}

// Step is a call of a tool, or a turn of the model when Kind says so.
type Step struct {
	Kind   string          `json:"kind"`
	Number int             `json:"number"`
	Tool   string          `json:"tool"`
	Args   json.RawMessage `json:"args"`
	Result string          `json:"result"`
	Failed bool            `json:"failed"`
	Millis int64           `json:"milliseconds"`
}

// calls are the steps that call tools.
func (t Trace) calls() []Step {
	var out []Step
	for _, s := range t.Steps {
		if s.Kind == "" || s.Kind == "call" {
			out = append(out, s)
		}
	}
	return out
}
