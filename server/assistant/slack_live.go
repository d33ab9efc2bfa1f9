package assistant

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/bots/slack"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// editEvery is how often what is being done is shown anew: Slack lets messages be edited about once a second.
const editEvery = time.Second

// display is what the asker sees while a question is answered: a stream of tasks
// where Slack has them, one message that is edited otherwise.
type display struct {
	slack *Slack
	link  *slackLink
	ask   askRow

	mu     sync.Mutex
	tasks  []slack.Task
	byTool map[string]int
	// changed are tasks that the asker has not seen yet.
	changed map[int]bool
	wake    chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
	closed  sync.Once
}

// show gives the first sign of life and keeps it current. That Slack takes none is no reason not to answer.
func (s *Slack) show(ctx context.Context, l *slackLink, ask askRow) (*display, error) {
	v := &display{slack: s, link: l, ask: ask, byTool: map[string]int{}, changed: map[int]bool{}, wake: make(chan struct{}, 1)}
	first := slack.Task{ID: "reading", Title: "Reading the question"}
	v.tasks = []slack.Task{first}
	ts, streamed := "", false
	if ask.Thread != "" {
		var err error
		if ts, err = l.client.Begin(ctx, ask.Channel, ask.Thread, ask.Workspace, ask.SlackUser, first); err == nil {
			streamed = true
		}
	}
	if !streamed {
		m := slack.Message{Channel: ask.Channel, Thread: ask.Thread, Text: v.text(), Key: ask.ID + " status"}
		channel, posted, err := l.client.Post(ctx, m)
		if err != nil {
			s.Log.Info("no sign of life in Slack", "ask", ask.ID, "error", err)
		} else {
			ts, v.ask.Channel = posted, channel
		}
	}
	if ts != "" {
		if v.ask.Thread == "" {
			v.ask.Thread = ts // a slash command has no message of its own to hang from
		}
		v.ask.StatusTS, v.ask.Streamed = ts, streamed
		if err := s.rows.noteStatus(ctx, ask.ID, v.ask.Thread, ts, streamed); err != nil {
			return nil, err
		}
		v.withdraw(ctx)
	}
	inner, cancel := context.WithCancel(ctx)
	v.stop = cancel
	v.done.Go(func() { v.keep(inner) })
	return v, nil
}

// withdraw takes the sign of life back when the question was stopped, and told so, before it was there.
func (v *display) withdraw(ctx context.Context) {
	now, err := v.slack.rows.ask(ctx, v.ask.ID)
	if err != nil || now.State == askRunning {
		return
	}
	if sent, err := v.slack.rows.outOf(ctx, v.ask.ID, partReply); err == nil && sent.State == outSent && sent.SentTS != place(v.ask.Channel, v.ask.StatusTS) {
		if err := v.link.client.Delete(ctx, v.ask.Channel, v.ask.StatusTS); err != nil {
			v.slack.Log.Info("a sign of life could not be taken back", "ask", v.ask.ID, "error", err)
		}
	}
}

// told hears of a call; it never waits.
func (v *display) told(tool string, done, failed bool) {
	v.mu.Lock()
	i, ok := v.byTool[tool]
	if !ok {
		i = len(v.tasks)
		v.byTool[tool] = i
		v.tasks = append(v.tasks, slack.Task{ID: "call" + strconv.Itoa(i), Title: titleOf(v.slack, tool)})
	}
	if !v.tasks[0].Done {
		v.tasks[0].Done, v.changed[0] = true, true
	}
	v.tasks[i].Done, v.tasks[i].Failed = done, done && (failed || v.tasks[i].Failed)
	v.changed[i] = true
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// anybody may see what every tool is called.
var anybody = identity.Caller{Roles: map[int64]identity.Role{0: identity.Owner}}

// titleOf is what a tool is called before people: never its arguments, which may name what others must not see.
func titleOf(s *Slack, tool string) string {
	for _, t := range s.Tools.List(anybody) {
		if t.Name == tool && t.Title != "" {
			return t.Title
		}
	}
	words := strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(tool, githubPrefix), "__", " "), "_", " ")
	if strings.HasPrefix(tool, githubPrefix) {
		return "GitHub: " + words
	}
	return words
}

func (v *display) keep(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.wake:
		}
		select { // at most once a second
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		wait := editEvery
		if err := v.tell(ctx); err != nil {
			if asked, limited := slack.Wait(err); limited {
				wait = max(wait, asked)
			}
		}
		pause.Reset(wait)
	}
}

// tell shows what has changed; trouble is nobody's but the log's, as the answer comes anyway.
func (v *display) tell(ctx context.Context) error {
	if v.ask.StatusTS == "" {
		return nil
	}
	v.mu.Lock()
	var changed []slack.Task
	for i, t := range v.tasks {
		if v.changed[i] {
			changed = append(changed, t)
		}
	}
	v.changed = map[int]bool{}
	text := v.text()
	v.mu.Unlock()
	if v.ask.Streamed {
		return v.link.client.Append(ctx, v.ask.Channel, v.ask.StatusTS, changed...)
	}
	return v.link.client.Update(ctx, slack.Message{Channel: v.ask.Channel, Thread: v.ask.Thread, Text: text, Key: v.ask.ID + " status"}, v.ask.StatusTS)
}

// text is the message that is edited: the last few tasks.
func (v *display) text() string {
	var lines []string
	for _, t := range v.tasks[max(0, len(v.tasks)-6):] {
		sign := "… "
		switch {
		case t.Failed:
			sign = "✗ "
		case t.Done:
			sign = "✓ "
		}
		lines = append(lines, sign+slack.Escape(t.Title))
	}
	return strings.Join(lines, "\n")
}

// close stops showing; what is under way is finished first, so that it cannot come after the answer.
func (v *display) close() {
	v.closed.Do(func() {
		v.stop()
		v.done.Wait()
	})
}
