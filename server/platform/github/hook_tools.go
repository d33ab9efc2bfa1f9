package github

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
)

// RegisterTools adds what machines may do with hooks and connections.
func (s *Service) RegisterTools(r *tools.Registry) error {
	return r.Register(
		tools.New(tools.Spec{Name: "ci_webhook_list", Title: "List webhooks", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Hooks of a team with their state, whether deliveries are proved to arrive, and their last deliveries; failed ones only when failed is true."}, s.toolHooks),
		tools.New(tools.Spec{Name: "ci_delivery_list", Title: "List webhook deliveries", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Deliveries that GitHub made to a team's hooks since a time (24 hours ago when none is named), newest first, at most 200: those that failed or were refused only when failed is true. Also counts them all."}, s.toolDeliveryList),
		tools.New(tools.Spec{Name: "ci_webhook_delete", Title: "Delete a webhook", Class: tools.Destructive, Level: identity.Write,
			Description: "Deletes a hook with its deliveries, and removes it at GitHub when this server manages it."}, s.toolHookDelete),
		tools.New(tools.Spec{Name: "ci_webhook_redeliver", Title: "Handle a delivery again", Class: tools.Write, Level: identity.Write,
			Description: "Handles a delivery again. With github true GitHub is asked to send it again instead, which helps for refused ones."}, s.toolRedeliver),
		tools.New(tools.Spec{Name: "ci_connection_list", Title: "List GitHub connections", Class: tools.ReadOnly, Level: identity.Read,
			Description: "Connections of a team to GitHub: token or App, whom they are for, the last error, and the calls left of the rate limit."}, s.toolConnections),
	)
}

type toolTeam struct {
	Team string `json:"team"`
}

type toolHooksIn struct {
	Team   string `json:"team"`
	Failed bool   `json:"failed,omitempty"`
}

type toolHook struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Kind       HookKind  `json:"kind"`
	Repository string    `json:"repository"`
	Managed    bool      `json:"managed"`
	State      HookState `json:"state"`
	Problem    string    `json:"problem"`
	Alive      bool      `json:"alive"`
	Missing    int64     `json:"missing"`
}

type toolDelivery struct {
	ID         string  `json:"id"`
	Hook       string  `json:"hook"`
	Event      string  `json:"event"`
	Action     string  `json:"action"`
	Repository string  `json:"repository"`
	Verdict    Verdict `json:"verdict"`
	State      State   `json:"state"`
	Error      string  `json:"error"`
}

type toolHooks struct {
	Hooks      []toolHook     `json:"hooks"`
	Deliveries []toolDelivery `json:"deliveries"`
}

const toolDeliveries = 20

func (s *Service) toolHooks(ctx context.Context, in toolHooksIn) (toolHooks, error) {
	out := toolHooks{Hooks: []toolHook{}, Deliveries: []toolDelivery{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	hooks, err := s.Hooks(ctx, team.ID)
	if err != nil {
		return out, err
	}
	for _, h := range hooks {
		out.Hooks = append(out.Hooks, toolHook{h.ID, h.Name, h.Kind, h.Repository, h.Managed, h.State, h.Problem, h.Alive, h.Gap.Missing})
	}
	f := DeliveryFilter{Limit: toolDeliveries}
	if in.Failed {
		f.State = Failed
	}
	list, err := s.Deliveries(ctx, f, team.ID)
	for _, d := range list {
		out.Deliveries = append(out.Deliveries, toolDelivery{d.ID, d.Hook, d.Event, d.Action, d.Repository, d.Verdict, d.State, d.Error})
	}
	return out, err
}

type toolDeliveriesIn struct {
	Team   string    `json:"team"`
	Since  time.Time `json:"since,omitzero"`
	Failed bool      `json:"failed,omitempty"`
}

type toolDeliveriesOut struct {
	Deliveries []toolDelivery `json:"deliveries"`
	// Received counts all since then; More says that there are older ones than were looked at.
	Received int  `json:"received"`
	Failed   int  `json:"failed"`
	Refused  int  `json:"refused"`
	More     bool `json:"more,omitempty"`
}

// lookedDeliveries bounds how far a tool pages back.
const lookedDeliveries = 2000

func (s *Service) toolDeliveryList(ctx context.Context, in toolDeliveriesIn) (toolDeliveriesOut, error) {
	out := toolDeliveriesOut{Deliveries: []toolDelivery{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	if in.Since.IsZero() {
		in.Since = s.Now().Add(-24 * time.Hour)
	}
	f := DeliveryFilter{Limit: 200}
	for looked := 0; ; {
		list, err := s.Deliveries(ctx, f, team.ID)
		if err != nil {
			return out, err
		}
		for _, d := range list {
			if time.UnixMilli(int64(d.ReceivedAt)).Before(in.Since) {
				return out, nil
			}
			out.count(d, in.Failed)
		}
		if looked += len(list); len(list) < f.Limit || looked >= lookedDeliveries {
			out.More = len(list) == f.Limit
			return out, nil
		}
		f.Before = list[len(list)-1].ID
	}
}

func (out *toolDeliveriesOut) count(d Delivery, onlyFailed bool) {
	out.Received++
	bad := false
	switch {
	case d.Verdict == Refused:
		out.Refused++
		bad = true
	case d.State == Failed:
		out.Failed++
		bad = true
	}
	if (bad || !onlyFailed) && len(out.Deliveries) < 200 {
		out.Deliveries = append(out.Deliveries, toolDelivery{d.ID, d.Hook, d.Event, d.Action, d.Repository, d.Verdict, d.State, d.Error})
	}
}

type toolHookIn struct {
	Hook string `json:"hook"`
}

type toolDone struct {
	Done bool `json:"done"`
}

func (s *Service) toolHookDelete(ctx context.Context, in toolHookIn) (toolDone, error) {
	err := s.DeleteHook(ctx, in.Hook)
	return toolDone{err == nil}, err
}

type toolRedeliverIn struct {
	Delivery string `json:"delivery"`
	GitHub   bool   `json:"github,omitempty"`
}

func (s *Service) toolRedeliver(ctx context.Context, in toolRedeliverIn) (toolDone, error) {
	again := s.Redeliver
	if in.GitHub {
		again = s.AskGitHub
	}
	_, err := again(ctx, in.Delivery)
	return toolDone{err == nil}, err
}

type toolConnection struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Kind         Kind   `json:"kind"`
	APIURL       string `json:"api_url"`
	Login        string `json:"login"`
	Installation int64  `json:"installation,omitempty"`
	Error        string `json:"error"`
	Problem      string `json:"problem,omitempty"`
	Remaining    int    `json:"calls_left,omitempty"`
}

type toolConnections struct {
	Connections []toolConnection `json:"connections"`
}

func (s *Service) toolConnections(ctx context.Context, in toolTeam) (toolConnections, error) {
	out := toolConnections{Connections: []toolConnection{}}
	team, err := identity.RequireTeam(ctx, in.Team, reading)
	if err != nil {
		return out, err
	}
	list, err := s.Connections(ctx, team.ID)
	for _, c := range list {
		t := toolConnection{ID: c.ID, Name: c.Name, Kind: c.Kind, APIURL: c.APIURL, Login: c.Login, Installation: c.Installation, Error: c.Error, Problem: c.Problem}
		if c.Rate != nil {
			t.Remaining = c.Rate.Remaining
		}
		out.Connections = append(out.Connections, t)
	}
	return out, err
}
