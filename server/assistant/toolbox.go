package assistant

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/assistant/githubtools"
	"github.com/signalbox/signalbox/server/assistant/guard"
	"github.com/signalbox/signalbox/server/assistant/mcpservers"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// githubPrefix begins the names of GitHub's tools, so that they cannot meet ours.
const githubPrefix = "github__"

// toolSource is who answers a tool.
type toolSource int

const (
	fromPortal toolSource = iota
	fromGitHub
	fromOutside
	fromRun // of the run itself: the rest of a result
)

// callable is a tool as one run may call it.
type callable struct {
	tools.Tool
	source toolSource
	// direct says that an owner has allowed calls that change something without asking.
	direct bool
	// about says that its arguments name repositories.
	about bool
}

// outsideScope is what somebody needs to approve a call of an outside server's tool.
var outsideScope = identity.Scope{Capability: "assistant", Level: identity.Write}

// toolFor finds a tool for this run's asker.
func (a *asked) toolFor(name string) (callable, error) {
	missing := problem.New(problem.NotFound, "There is no tool %.80q for you.", name)
	switch bare, isGitHub := strings.CutPrefix(name, githubPrefix); {
	case name == moreTool:
		return callable{Tool: tools.Tool{Name: moreTool, Class: tools.ReadOnly}, source: fromRun}, nil
	case isGitHub:
		list := (&githubtools.Server{}).Tools()
		i := slices.IndexFunc(list, func(t tools.Tool) bool { return t.Name == bare })
		if i < 0 {
			return callable{}, missing
		}
		t := list[i]
		t.Name = name
		return callable{Tool: t, source: fromGitHub, about: true}, nil
	case strings.Contains(name, mcpservers.Separator):
		t, ok := a.service.Outside.Find(a.team.ID, name)
		if !ok {
			return callable{}, missing
		}
		return outsideTool(t), nil
	}
	t, ok := a.service.toolOf(a.caller, name)
	if !ok {
		return callable{}, missing
	}
	return callable{Tool: t, source: fromPortal}, nil
}

// outsideTool is an outside server's tool as ours: what an administrator has not called reading changes something.
func outsideTool(t mcpservers.Offered) callable {
	out := callable{source: fromOutside, about: t.Repositories, direct: t.Permission == mcpservers.Allow,
		Tool: tools.Tool{Name: t.Shown, Title: t.Server + ": " + t.Name, Description: t.Description, Class: tools.Write, Scope: outsideScope}}
	if t.Permission == mcpservers.Read {
		out.Class = tools.ReadOnly
	}
	return out
}

// callTool makes a call: of a capability as the asker, of GitHub and outside servers for the asker's team.
func (s *Service) callTool(ctx context.Context, a *asked, t callable, args json.RawMessage) (json.RawMessage, error) {
	switch t.source {
	case fromRun:
		return a.more(args)
	case fromOutside:
		return s.Outside.Call(ctx, a.team.ID, t.Name, args)
	case fromPortal:
		return s.Tools.Call(identity.With(ctx, a.caller), t.Name, args)
	}
	list := a.githubFor().Tools()
	i := slices.IndexFunc(list, func(o tools.Tool) bool { return githubPrefix+o.Name == t.Name })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "There is no tool %q.", t.Name)
	}
	out, err := list[i].Run(ctx, args)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(out)
	return a.withAge(raw), err
}

// moreTool gives the rest of a result that was cut.
const moreTool = "result_more"

// more pages through a result of this run.
func (a *asked) more(raw json.RawMessage) (json.RawMessage, error) {
	var in struct {
		Handle int `json:"handle"`
		From   int `json:"from"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "result_more takes the handle and from as numbers.")
	}
	a.mu.Lock()
	whole, ok := a.full[in.Handle]
	a.mu.Unlock()
	if !ok || in.From < 0 || in.From > len(whole) {
		return nil, problem.New(problem.NotFound, "There is no such result, or it ends before that.")
	}
	to := min(in.From+shownResult*3/4, len(whole))
	return json.Marshal(map[string]any{"from": in.From, "to": to, "total": len(whole), "text": strings.ToValidUTF8(whole[in.From:to], "")})
}

// describeOutside is a foreign description as a model sees it: it may be as hostile as any other foreign text.
func describeOutside(t mcpservers.Offered) string {
	return "Of the outside server " + t.Server + ", described by it: " + cutLine(strings.Join(strings.Fields(guard.Clean(t.Description)), " "), 600)
}
