package assistant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
)

// Turn is one reply of a model, for the page of a run.
type Turn struct {
	Number int   `json:"number"`
	Began  int64 `json:"began"`
	Millis int64 `json:"milliseconds"`
	// Shown is how many messages and Tools how many tools the model was shown.
	Shown     int      `json:"shown"`
	Tools     int      `json:"tools"`
	Text      string   `json:"text,omitempty"`
	Calls     []TurnOf `json:"calls,omitempty"`
	Stop      string   `json:"stop"`
	TokensIn  int64    `json:"tokens_in"`
	TokensOut int64    `json:"tokens_out"`
	Error     string   `json:"error,omitempty"`
}

// TurnOf is a call that a turn wants.
type TurnOf struct {
	Tool string          `json:"tool"`
	Args json.RawMessage `json:"args"`
}

// keptTurn is how much of a model's text a trace keeps, in bytes.
const keptTurn = 4 << 10

// turned keeps a model's turn.
func (a *asked) turned(began time.Time, r llm.Request, reply llm.Reply, err error) {
	t := Turn{Number: len(a.turns) + 1, Began: began.Sub(a.began).Milliseconds(), Millis: a.service.Now().Sub(began).Milliseconds(), Shown: len(r.Messages), Tools: len(r.Tools),
		Text: clip(a.scrubText(reply.Text), keptTurn), Stop: string(reply.Stop), TokensIn: reply.Usage.In, TokensOut: reply.Usage.Out}
	for _, c := range reply.Calls {
		args := a.scrubArgs(c.Args)
		if !json.Valid(args) { // of a reply that was cut
			args, _ = json.Marshal(map[string]string{"cut": string(args)}) // text cannot fail
		}
		t.Calls = append(t.Calls, TurnOf{c.Name, args})
	}
	if err != nil {
		t.Error = clip(a.scrubText(err.Error()), keptTurn)
	}
	a.mu.Lock()
	a.turns = append(a.turns, t)
	if a.prompt == "" {
		a.prompt = promptVersion(r, a.now)
	}
	a.mu.Unlock()
	a.progress()
}

// promptVersion names what a model is told before the question: it changes when the rules or the tools do, not with the clock.
func promptVersion(r llm.Request, now time.Time) string {
	sum := sha256.New()
	sum.Write([]byte(strings.ReplaceAll(r.System, now.Format(promptTime), "")))
	for _, t := range r.Tools {
		sum.Write([]byte("\x00" + t.Name + "\x00" + t.Description))
	}
	return hex.EncodeToString(sum.Sum(nil))[:10]
}

// Ground says which calls hold a fact of an answer.
type Ground struct {
	Fact  string `json:"fact"`
	Steps []int  `json:"steps"`
}

// claimForm finds what an answer states: links, numbers of things, versions, errors' names, and amounts. Small
// numbers count only where they are stressed: elsewhere they are mostly times.
var claimForm = regexp.MustCompile(`https?://[^\s)]+|#\d+|\bv\d+(?:\.\d+)+(?:-[\w.]*\w)?|\b[A-Z][A-Z0-9]*-\d+\b|\b[0-9a-f]{7,40}\b|\b\d{1,3}(?:,\d{3})+\b|\*\*\d+|\b\d{3,}\b`)

const maxGrounds = 80

// grounds link the facts of an answer with the calls whose results hold them.
func (a *asked) grounds(text string) []Ground {
	var out []Ground
	for _, fact := range claimForm.FindAllString(text, 400) {
		fact = strings.TrimPrefix(fact, "**")
		sought := fact
		if own := a.page("/"); strings.HasPrefix(fact, own) {
			sought = fact[strings.LastIndexByte(fact, '/')+1:] // our links are made of what results call a thing
		}
		if len(out) == maxGrounds || slices.ContainsFunc(out, func(g Ground) bool { return g.Fact == fact }) {
			continue
		}
		g := Ground{Fact: fact}
		for _, s := range a.steps {
			if !s.Failed && holds(a.full[s.Number], sought) {
				g.Steps = append(g.Steps, s.Number)
			}
		}
		if len(g.Steps) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// holds tells whether a result has a fact: digits count whole, so that 41 is not found in 1410.
func holds(result, fact string) bool {
	bare := strings.ReplaceAll(strings.TrimPrefix(fact, "#"), ",", "")
	digit := func(at int) bool { return at >= 0 && at < len(result) && result[at] >= '0' && result[at] <= '9' }
	for from := 0; ; {
		at := strings.Index(result[from:], bare)
		if at < 0 {
			return false
		}
		at += from
		end := at + len(bare)
		if !(digit(at-1) && digit(at)) && !(digit(end-1) && digit(end)) {
			return true
		}
		from = at + 1
	}
}

// progress tells the pages that show this run.
func (a *asked) progress() {
	s := a.service
	if err := s.Publish(a.kept, a.team.ID, "assistant.run", a.id); err != nil {
		s.Log.Warn("a run's progress was not told", "run", a.id, "error", err)
	}
}

// soFar are the calls and turns of a run that this server is at.
func (s *Service) soFar(id string) (steps []Step, turns []Turn) {
	found, ok := s.live.Load(id)
	if !ok {
		return nil, nil
	}
	a, _ := found.(*asked)
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.steps), slices.Clone(a.turns)
}
