package assistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/bots/llm"
	"github.com/signalbox/signalbox/server/assistant/grammar"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Status is how a run stands; the words are stored.
type Status = string

// The statuses.
const (
	Running     Status = "running"
	Answered    Status = "answered"
	Refused     Status = "refused" // it was understood, or not, and is not answered
	Failed      Status = "failed"  // what was asked for could not be had
	Interrupted Status = "interrupted"
)

// Question is what somebody asks.
type Question struct {
	Team string
	Text string
	// Zone is the asker's, an IANA name; UTC when empty.
	Zone string
	// Repository is what the page or channel is about.
	Repository string
	// Thread is the id of the run that began the conversation.
	Thread string
	// Surface is web, cli, slack or api; Channel is where, "" outside of channels.
	Surface, Channel string
	// Page is what the asker looks at.
	Page Page
	// A replay names its run, its planner and that run's moment.
	replayOf string
	planner  Planner
	at       time.Time
}

// Source is where an answer's facts come from.
type Source struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
}

// Answer is what a run says.
type Answer struct {
	// Text is Markdown.
	Text    string   `json:"text"`
	Sources []Source `json:"sources"`
	// Try are questions that would be answered.
	Try []string `json:"try,omitempty"`
	// Unverified are facts in the text that no tool has said; a run of plans has none.
	Unverified []string `json:"unverified,omitempty"`
	// Grounds say which calls hold the text's facts.
	Grounds []Ground `json:"grounds,omitempty"`
}

// Run is one question with its answer.
type Run struct {
	ID       string    `json:"id"`
	Team     string    `json:"team,omitempty"`
	Person   string    `json:"person"`
	Surface  string    `json:"surface"`
	Thread   string    `json:"thread"`
	Question string    `json:"question"`
	Reading  string    `json:"reading"`
	Planner  string    `json:"planner"`
	Status   Status    `json:"status"`
	Answer   Answer    `json:"answer"`
	Calls    int       `json:"calls"`
	Started  time.Time `json:"started_at"`
	Millis   int64     `json:"milliseconds"`
	Feedback int       `json:"feedback"`
	Channel  string    `json:"channel,omitempty"`
	// TokensIn and TokensOut are the model's, Cost in millionths of a dollar.
	TokensIn  int64 `json:"tokens_in"`
	TokensOut int64 `json:"tokens_out"`
	Cost      int64 `json:"cost"`
	// Scrubbed is how many secrets were taken out of results and the answer.
	Scrubbed int64 `json:"scrubbed"`
	// TokensCached are those of TokensIn that cost less.
	TokensCached int64 `json:"tokens_cached"`
	// Prompt and SettingsAt are the versions of what the model was told and of the team's settings.
	Prompt     string    `json:"prompt_version,omitempty"`
	SettingsAt time.Time `json:"settings_at,omitzero"`
	// ReplayOf is the run whose question this one asked again.
	ReplayOf string `json:"replay_of,omitempty"`
	// Flagged says that somebody should look: a fact from nowhere, something that was not allowed, or a secret.
	Flagged bool   `json:"flagged"`
	Page    Page   `json:"page,omitzero"`
	Steps   []Step `json:"steps,omitempty"`
	Turns   []Turn `json:"turns,omitempty"`
	// Approvals are the calls that wait for a person, or did.
	Approvals []Approval `json:"approvals,omitempty"`
}

// StepKind is what a step is; the words are stored.
type StepKind = string

// The kinds.
const (
	CallStep     StepKind = "call"
	GuardStep    StepKind = "guard"    // something was tried that is not allowed
	ApprovalStep StepKind = "approval" // something waits for a person
)

// Step is one call of a tool, or what kept it from being made.
type Step struct {
	Number int             `json:"number"`
	Kind   StepKind        `json:"kind"`
	Tool   string          `json:"tool"`
	Args   json.RawMessage `json:"args"`
	// Result is what the tool said, or its error; cut when it is long.
	Result string `json:"result"`
	Bytes  int64  `json:"bytes"`
	Failed bool   `json:"failed"`
	// Began is since the run did, in milliseconds.
	Began  int64 `json:"began"`
	Millis int64 `json:"milliseconds"`
}

const (
	// patience is how long a run may take, and maxCalls how many tools it may call.
	patience = 90 * time.Second
	maxCalls = 40
	// keptResult is how much of a result a trace keeps, in bytes.
	keptResult = 16 << 10
)

// scope is what asking needs.
var asking = identity.Scope{Capability: "assistant", Level: identity.Read}

// Ask answers a question as the context's caller. It fails only when it cannot
// begin: whatever goes wrong later is said in the run, which always ends.
func (s *Service) Ask(ctx context.Context, q Question) (Run, error) {
	a, row, err := s.begin(ctx, q)
	if err != nil {
		return Run{}, err
	}
	return a.end(ctx, row)
}

// Begin answers a question without being waited for: the run is there at once, and ends by itself.
func (s *Service) Begin(ctx context.Context, q Question) (Run, error) {
	a, row, err := s.begin(ctx, q)
	if err != nil {
		return Run{}, err
	}
	go func() {
		if _, err := a.end(context.WithoutCancel(ctx), row); err != nil {
			s.Log.Error("a run was not kept", "run", row.ID, "error", err)
		}
	}()
	return shape(row)
}

// begin keeps that a question was asked, once the asker may.
func (s *Service) begin(ctx context.Context, q Question) (*asked, runRow, error) {
	team, err := identity.RequireTeam(ctx, q.Team, asking)
	if err != nil {
		return nil, runRow{}, err
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return nil, runRow{}, problem.FieldError("zone", "%.60q is no time zone; send a name such as Europe/London", q.Zone)
	}
	// Nothing of another team can be meant, whatever a question or a result says.
	caller := inTeam(identity.From(ctx), team)
	ctx = identity.With(ctx, caller)
	with, err := json.Marshal(askedWith{q.Zone, q.Repository, q.Page})
	if err != nil {
		return nil, runRow{}, err
	}
	row := runRow{ID: s.ID(), ReplayOf: q.replayOf, Turns: "[]", Asked: string(with), TeamID: team.ID, UserID: caller.UserID, Person: caller.Name, Surface: q.Surface, Thread: q.Thread, Channel: q.Channel,
		Question: strings.ToValidUTF8(clip(q.Text, 4*grammar.MaxQuestion), ""), Planner: "plan", Status: Running, Answer: "{}", StartedAt: s.Now().UnixMilli()}
	if row.Thread == "" {
		row.Thread = row.ID
	}
	if q.at.IsZero() {
		q.at = s.Now()
	}
	a := &asked{service: s, began: s.Now(), kept: context.WithoutCancel(ctx), id: row.ID, team: team, caller: caller, question: q, now: q.at.In(zone), seen: map[string]string{}, full: map[int]string{}, handles: map[string]int{}, planner: "plan"}
	if err := a.prepare(ctx); err != nil {
		return nil, runRow{}, err
	}
	if q.replayOf != "" {
		a.settings.Writes = WritesOff
	}
	row.SettingsVersion = unixMilli(a.settings.UpdatedAt)
	return a, row, s.store.beginRun(ctx, row)
}

func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// end looks everything up, answers, and keeps it all.
func (a *asked) end(ctx context.Context, row runRow) (Run, error) {
	s := a.service
	// The answer is kept even when the asker has gone.
	kept := identity.With(a.kept, a.caller)
	s.live.Store(row.ID, a)
	defer s.live.Delete(row.ID)
	limited, cancel := context.WithTimeout(context.WithoutCancel(identity.With(ctx, a.caller)), patience)
	defer cancel()
	defer context.AfterFunc(unwanted(ctx), cancel)()
	answer, status := a.answer(limited)
	if unwanted(ctx).Err() != nil {
		answer, status = Answer{Text: "Stopped before there was an answer."}, Interrupted
	}
	row.Status, row.Planner, row.Reading = status, a.planner, a.reading.String()
	row.Calls, row.Millis = int64(len(a.steps)), s.Now().UnixMilli()-row.StartedAt
	row.TokensCached, row.PromptVersion = a.usage.Cached, a.prompt
	row.TokensIn, row.TokensOut, row.Cost = a.usage.In, a.usage.Out, s.costOf(a.usage.In, a.usage.Out)
	a.leave(&answer)
	row.Scrubbed = a.scrubbed
	answer.Unverified, answer.Grounds = a.ungrounded(answer.Text), a.grounds(answer.Text)
	row.Flagged = len(answer.Unverified) > 0 || a.scrubbed > 0 || slices.ContainsFunc(a.steps, func(st Step) bool { return st.Kind == GuardStep })
	turns, err := json.Marshal(a.turns)
	if err != nil {
		return Run{}, err
	}
	if len(a.turns) > 0 {
		row.Turns = string(turns)
	}
	raw, err := json.Marshal(told{answer, a.reading, a.items})
	if err != nil {
		return Run{}, err
	}
	row.Answer = string(raw)
	steps := make([]stepRow, len(a.steps))
	for i, st := range a.steps {
		steps[i] = stepRow{row.ID, st.Number, st.Tool, string(st.Args), st.Result, st.Bytes, st.Failed, st.Millis, st.Kind, st.Began}
	}
	if err := s.store.endRun(kept, row, steps); err != nil {
		return Run{}, err
	}
	s.live.Delete(row.ID)
	a.progress()
	run, err := shape(row)
	run.Steps, run.Approvals = a.steps, a.proposed
	return run, err
}

// told is what is kept of an answer: with the reading and the listed numbers, for questions that follow.
type told struct {
	Answer
	Reading grammar.Reading `json:"reading"`
	Items   []int           `json:"items,omitempty"`
}

func clip(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}

// asked is one question while it is answered.
type asked struct {
	service *Service
	id      string
	// began is when the run did by the clock, kept a context that outlives the asker's.
	began    time.Time
	kept     context.Context
	team     identity.Team
	caller   identity.Caller
	question Question
	// now is the moment of asking in the asker's zone.
	now      time.Time
	reading  grammar.Reading
	settings Settings
	// mu guards what calls leave behind: a model has several made at once.
	mu    sync.Mutex
	steps []Step
	turns []Turn
	// prompt is the version of what the model was told.
	prompt string
	// build and query are of the page that is looked at, when the question means them.
	build, query string
	// full are whole results by the number of their step, and handles those numbers by tool and arguments.
	full    map[int]string
	handles map[string]int
	// seen are answers of calls that were made, by tool and arguments: nothing is asked twice.
	seen     map[string]string
	failures []string
	sources  []Source
	// items are the numbers that the answer lists, for questions that follow.
	items []int
	// asOf is how old what GitHub said is, zero when it was asked just now.
	asOf time.Time
	// planner is who answered: plan or model; usage what the model took.
	planner string
	usage   llm.Usage
	// guards is what stands between this run and what it may not do.
	guards
}

// answer never fails and never panics: one visible reply, always.
func (a *asked) answer(ctx context.Context) (answer Answer, status Status) {
	defer func() {
		if r := recover(); r != nil {
			a.service.Log.Error("a question broke the assistant", "question", a.question.Text, "error", r)
			answer, status = Answer{Text: "Something went wrong here while I looked it up. It is in the server's log."}, Failed
		}
		if answer.Sources == nil {
			answer.Sources = append([]Source{}, a.sources...)
		}
	}()
	if err := a.read(ctx); err != nil {
		return a.broken(err), Failed
	}
	answer, status, err := a.decide(ctx)
	if err != nil {
		return a.broken(err), Failed
	}
	if len(a.failures) > 0 && status == Answered {
		answer.Text += "\n\nNot all of it could be looked up: " + strings.Join(a.failures, " ")
	}
	answer.Text += a.ageOf()
	return answer, status
}

// decide takes the plans or the model. A model that fails leaves what the plans can say.
func (a *asked) decide(ctx context.Context) (Answer, Status, error) {
	s := a.service
	complete := len(a.reading.Left) == 0 && a.reading.Op != grammar.Judge
	planner := s.Planner
	if a.question.planner != "" {
		planner = a.question.planner
	}
	if s.Model == nil || planner == Plans || plansAlone(ctx) || planner == Hybrid && complete || a.plannedOrder() || strings.TrimSpace(a.question.Text) == "" {
		return a.plan(ctx)
	}
	a.planner = "model"
	answer, status, err := a.byModel(ctx)
	if err == nil {
		return answer, status, nil
	}
	s.Log.Warn("the language model failed", "error", err)
	a.planner = "plan"
	answer, status, planned := a.plan(ctx)
	if planned != nil {
		return answer, status, planned
	}
	answer.Text += "\n\nThe language model could not be reached; this is what I can say without it."
	return answer, status, nil
}

// broken is the honest answer when what was asked for could not be had.
func (a *asked) broken(err error) Answer {
	p := problem.From(err)
	if p.Kind == problem.Internal {
		a.service.Log.Error("a question could not be answered", "question", a.question.Text, "error", err)
		return Answer{Text: "Something went wrong here while I looked it up, so I have no answer. It is in the server's log."}
	}
	return Answer{Text: "I could not look it up, so I have no answer. " + p.Detail}
}

// read understands the question; a follow-up is read into the question before it.
func (a *asked) read(ctx context.Context) error {
	names, err := a.names(ctx)
	if err != nil {
		return err
	}
	a.reading = grammar.Parse(a.question.Text, a.now, names)
	follows := a.reading.FollowUp || a.reading.Entity == grammar.Nothing && len(a.reading.Left) == 0 && a.reading.Op == grammar.List && strings.TrimSpace(a.question.Text) != ""
	if a.question.Thread == "" || !follows {
		a.fromPage()
		return nil
	}
	before, ok, err := a.service.store.latestOf(ctx, a.question.Thread, a.team.ID, a.caller.UserID)
	if err != nil {
		return err
	}
	if !ok {
		a.fromPage()
		return nil
	}
	var kept told
	if err := json.Unmarshal([]byte(before.Answer), &kept); err != nil {
		return fmt.Errorf("read what was asked before: %w", err)
	}
	a.reading = grammar.Follow(kept.Reading, a.reading)
	if a.reading.Op == grammar.Who && a.reading.Number == 0 && len(kept.Items) == 1 {
		a.reading.Number = kept.Items[0]
	}
	return nil
}

// names are what a question may name.
func (a *asked) names(ctx context.Context) (grammar.Names, error) {
	things, err := a.service.Things(ctx, a.team)
	if err != nil {
		return grammar.Names{}, err
	}
	return grammar.Names{Things: things}, nil
}

// call runs a tool, keeps the step, and decodes its answer into out.
func (a *asked) call(ctx context.Context, tool string, args, out any) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	key := callKey(tool, raw)
	a.mu.Lock()
	known, ok := a.seen[key]
	made := len(a.steps)
	a.mu.Unlock()
	if ok {
		return json.Unmarshal([]byte(known), out)
	}
	if made >= maxCalls {
		return problem.New(problem.TooMany, "The question needs more than %d look-ups.", maxCalls)
	}
	began := a.service.Now()
	tellCall(ctx, tool, false, false)
	result, kind, err := a.guarded(ctx, tool, raw)
	tellCall(ctx, tool, true, err != nil)
	a.mu.Lock()
	step := Step{Number: len(a.steps) + 1, Kind: kind, Began: began.Sub(a.began).Milliseconds(), Tool: tool, Args: a.scrubArgs(raw), Millis: a.service.Now().Sub(began).Milliseconds()}
	if err != nil {
		step.Failed, step.Result = true, sentence(problem.From(err))
	} else {
		step.Result, step.Bytes = clip(string(result), keptResult), int64(len(result))
		a.seen[key], a.full[step.Number], a.handles[key] = string(result), string(result), step.Number
	}
	a.steps = append(a.steps, step)
	a.mu.Unlock()
	a.progress()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(result, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", tool, err)
	}
	return nil
}

// callKey is the same for the same call, however its arguments are spaced.
func callKey(tool string, args json.RawMessage) string {
	if tidy, err := canonical(args); err == nil {
		args = tidy
	}
	return tool + string(args)
}

// factForm finds what an answer must have from somewhere: numbers of issues and builds, versions, commits.
var factForm = regexp.MustCompile(`#\d+|\bv\d+(?:\.\d+)+(?:-[\w.]*\w)?|\b[0-9a-f]{7,40}\b`)

// ungrounded gives the facts of an answer that are neither in a tool's result nor in the question.
func (a *asked) ungrounded(text string) []string {
	var known strings.Builder
	known.WriteString(a.question.Text)
	for _, result := range a.seen {
		known.WriteString(result)
	}
	all := known.String()
	var out []string
	for _, fact := range factForm.FindAllString(text, 500) {
		if !strings.Contains(all, strings.TrimPrefix(fact, "#")) && !slices.Contains(out, fact) {
			out = append(out, fact)
		}
	}
	return out
}

// source notes where a fact comes from, once.
func (a *asked) source(title, url string) {
	s := Source{Title: title, URL: url}
	if url != "" && !slices.Contains(a.sources, s) {
		a.sources = append(a.sources, s)
	}
}

func shape(row runRow) (Run, error) {
	r := Run{ID: row.ID, Person: row.Person, Surface: row.Surface, Thread: row.Thread, Question: row.Question, Reading: row.Reading, Planner: row.Planner,
		Status: row.Status, Calls: int(row.Calls), Started: time.UnixMilli(row.StartedAt).UTC(), Millis: row.Millis, Feedback: int(row.Feedback),
		Channel: row.Channel, TokensIn: row.TokensIn, TokensOut: row.TokensOut, Cost: row.Cost, Scrubbed: row.Scrubbed,
		TokensCached: row.TokensCached, Prompt: row.PromptVersion, ReplayOf: row.ReplayOf, Flagged: row.Flagged}
	if row.SettingsVersion != 0 {
		r.SettingsAt = time.UnixMilli(row.SettingsVersion).UTC()
	}
	var with askedWith
	if err := errors.Join(json.Unmarshal([]byte(row.Asked), &with), json.Unmarshal([]byte(row.Turns), &r.Turns)); err != nil {
		return r, fmt.Errorf("read how run %s went: %w", row.ID, err)
	}
	r.Page = with.Page
	if err := json.Unmarshal([]byte(row.Answer), &r.Answer); err != nil {
		return r, fmt.Errorf("read the answer of run %s: %w", row.ID, err)
	}
	if r.Answer.Sources == nil {
		r.Answer.Sources = []Source{}
	}
	return r, nil
}
