package app

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// routes adds the story to a server that does not run yet. No other command calls it.
func (s *story) routes() {
	s.app.demo = true
	r := api.NewRouter(s.app.engine, &s.app.table).Group("/api/v1/demo")
	r.GET("/story", api.SignedIn(), api.Handle(s.httpStory))
	r.POST("/story/:act", api.Admin(), api.Handle(s.httpAct))
}

// storyShape is the story as its page shows it.
type storyShape struct {
	Team string `json:"team"`
	// Ready says that it can begin, Trouble why it cannot, "" for nothing.
	Ready    bool      `json:"ready"`
	Trouble  string    `json:"trouble"`
	Round    int       `json:"round"`
	Chapters []chapter `json:"chapters"`
	Slack    storyRoom `json:"slack"`
}

type storyRoom struct {
	Name     string      `json:"name"`
	Messages []slackPost `json:"messages"`
}

func (s *story) httpStory(ctx context.Context, _ struct{}) (storyShape, error) {
	v := s.look(ctx)
	s.mu.Lock()
	m, phase, trouble := s.memory, s.phase, s.trouble
	s.mu.Unlock()
	return storyShape{Team: demoTeam, Ready: phase >= storyOpen, Trouble: trouble, Round: m.Round, Chapters: s.chapters(m, v, phase), Slack: storyRoom{demoRoomName, s.slack.messages()}}, nil
}

type actIn struct {
	Act string `uri:"act" json:"-"`
}

// httpAct has something happen, when it is its turn.
func (s *story) httpAct(ctx context.Context, in actIn) (storyShape, error) {
	acts := map[string]func(context.Context) error{"push": s.breakIt, "customers": s.customers, "ask": s.ask, "fix": s.mend, "sign": s.sign, "rollout": s.rollOut}
	act := acts[in.Act]
	if act == nil {
		return storyShape{}, problem.New(problem.NotFound, "The story has no %q.", in.Act)
	}
	s.acting.Lock()
	defer s.acting.Unlock()
	now, err := s.httpStory(ctx, struct{}{})
	if err != nil {
		return now, err
	}
	if !now.Ready {
		return now, problem.New(problem.Conflict, stillSettingUp)
	}
	for _, c := range now.Chapters {
		if c.Act != nil && c.Act.Name == in.Act && c.Act.Refusal != "" {
			return now, problem.New(problem.Conflict, "%s", c.Act.Refusal)
		}
	}
	if err := act(ctx); err != nil {
		return now, problem.Wrap(err, problem.Unavailable, "That did not work: %s", err)
	}
	s.awake(0)
	return s.httpStory(ctx, struct{}{})
}
