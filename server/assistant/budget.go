package assistant

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Budget is what may be used within a day. Zero is the usual amount, a negative number is without end.
type Budget struct {
	Runs   int64 `json:"runs"`
	Tokens int64 `json:"tokens"`
	// Cost is in millionths of a dollar.
	Cost int64 `json:"cost"`
}

// Budgets are a team's: of each person, and of each channel.
type Budgets struct {
	Person  Budget `json:"person"`
	Channel Budget `json:"channel"`
}

var usualBudgets = Budgets{Person: Budget{Runs: 200, Tokens: 1_000_000, Cost: 5_000_000}, Channel: Budget{Runs: 500, Tokens: 3_000_000, Cost: 15_000_000}}

// mostBudget keeps sums within what a browser can count.
const mostBudget = 1 << 50

func (b *Budgets) tidy() error {
	for _, pair := range []struct {
		name     string
		b, usual *Budget
	}{{"person", &b.Person, &usualBudgets.Person}, {"channel", &b.Channel, &usualBudgets.Channel}} {
		for _, n := range []struct {
			name    string
			n, most *int64
		}{{"runs", &pair.b.Runs, &pair.usual.Runs}, {"tokens", &pair.b.Tokens, &pair.usual.Tokens}, {"cost", &pair.b.Cost, &pair.usual.Cost}} {
			switch {
			case *n.n == 0:
				*n.n = *n.most
			case *n.n > mostBudget:
				return problem.FieldError("budgets."+pair.name+"."+n.name, "is more than %d", int64(mostBudget))
			case *n.n < 0:
				*n.n = -1
			}
		}
	}
	return nil
}

// over says what of a budget is used up, "" while there is some left.
func (b Budget) over(used Budget) string {
	beyond := func(used, most int64) bool { return most >= 0 && used >= most }
	switch {
	case beyond(used.Runs, b.Runs):
		return fmt.Sprintf("%s questions", thousands(b.Runs))
	case beyond(used.Tokens, b.Tokens):
		return fmt.Sprintf("%s tokens", thousands(b.Tokens))
	case beyond(used.Cost, b.Cost):
		return fmt.Sprintf("%.2f dollars", float64(b.Cost)/1e6)
	}
	return ""
}

// withinBudget refuses a question when its asker or its channel has used up the day.
func (s *Service) withinBudget(ctx context.Context, a *asked, settings Settings) error {
	since := s.Now().Add(-24 * time.Hour).UnixMilli()
	mine, err := s.store.used(ctx, a.team.ID, a.caller.UserID, "", since)
	if err != nil {
		return err
	}
	if what := settings.Budgets.Person.over(mine); what != "" {
		return problem.New(problem.TooMany, "You have used up your %s within 24 hours. Ask again later, or have an owner raise it under Assistant, Settings.", what)
	}
	if a.question.Channel == "" {
		return nil
	}
	of, err := s.store.used(ctx, a.team.ID, 0, a.question.Channel, since)
	if err != nil {
		return err
	}
	if what := settings.Budgets.Channel.over(of); what != "" {
		return problem.New(problem.TooMany, "This channel has used up its %s within 24 hours. Ask again later, or have an owner raise it under Assistant, Settings.", what)
	}
	return nil
}

// costOf is what tokens cost, in millionths of a dollar.
func (s *Service) costOf(in, out int64) int64 {
	return int64(float64(in)*s.PriceIn + float64(out)*s.PriceOut) // dollars per million tokens are millionths per token
}
