package assistant

import "github.com/signalbox/signalbox/bots/llm"

// Model takes a language model's turns; who composes the server may bring their own.
type Model = llm.Model
