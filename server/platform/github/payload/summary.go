package payload

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// Summary is what a list of deliveries shows of any event.
type Summary struct {
	Action     string
	Repository string
	Sender     string
}

// maxWord bounds what a summary keeps of each field.
const maxWord = 200

// Summarize checks that body is one JSON object in UTF-8, and picks what all
// events have in common. The decoder itself refuses nesting beyond 10,000.
func Summarize(body []byte) (Summary, error) {
	if !utf8.Valid(body) {
		return Summary{}, errors.New("the payload is not UTF-8")
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '{' {
		return Summary{}, errors.New("the payload is not a JSON object")
	}
	var doc struct {
		Action     json.RawMessage `json:"action"`
		Repository struct {
			FullName string `json:"full_name"`
		} `json:"repository"`
		Organization struct {
			Login string `json:"login"`
		} `json:"organization"`
		Sender struct {
			Login string `json:"login"`
		} `json:"sender"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		var wrongType *json.UnmarshalTypeError
		if !errors.As(err, &wrongType) || wrongType.Field == "" {
			return Summary{}, errors.New("the payload is not a JSON object")
		}
		// A field of another shape than GitHub's: keep the delivery, without a summary.
	}
	var action string
	_ = json.Unmarshal(doc.Action, &action) // no word: no action
	s := Summary{Action: short(action), Repository: short(doc.Repository.FullName), Sender: short(doc.Sender.Login)}
	if s.Repository == "" {
		s.Repository = short(doc.Organization.Login)
	}
	return s, nil
}

func short(s string) string {
	if len(s) <= maxWord {
		return s
	}
	cut := maxWord
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
