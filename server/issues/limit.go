package issues

import (
	"slices"
	"time"

	"github.com/signalbox/signalbox/server/platform/problem"
)

// Limit is how much of one category a project or a key may send in a time.
type Limit struct {
	// Category is Sentry's data category, such as error or transaction; "" means everything together.
	Category string `json:"category"`
	Count    int64  `json:"count"`
	Per      Per    `json:"per"`
}

// Per is the time that a limit holds for, from its beginning on the clock (UTC).
type Per string

// The times.
const (
	PerMinute Per = "minute"
	PerHour   Per = "hour"
	PerMonth  Per = "month"
)

// categories are those that limits may name.
var categories = []string{"", "default", "error", "transaction", "span", "security", "attachment", "session", "profile", "profile_chunk", "replay", "monitor",
	"feedback", "log_item", "trace_metric"}

func validateLimits(list []Limit, field string) error {
	if len(list) > 50 {
		return problem.FieldError(field, "give at most 50")
	}
	for i, l := range list {
		switch {
		case !slices.Contains(categories, l.Category):
			return problem.FieldError(field, "%.40q is not a category; use one of error, transaction, span, attachment, session, monitor, feedback, or nothing for all", l.Category)
		case l.Per != PerMinute && l.Per != PerHour && l.Per != PerMonth:
			return problem.FieldError(field, "%.40q is not a time; use minute, hour or month", string(l.Per))
		case l.Count < 0:
			return problem.FieldError(field, "a count is not negative")
		case slices.ContainsFunc(list[:i], func(o Limit) bool { return o.Category == l.Category && o.Per == l.Per }):
			return problem.FieldError(field, "there are two limits for the same category and time")
		}
	}
	return nil
}

// window is the running stretch of the time that at falls into.
func (p Per) window(at time.Time) (start, end time.Time) {
	at = at.UTC()
	switch p {
	case PerMinute:
		start = at.Truncate(time.Minute)
		return start, start.Add(time.Minute)
	case PerHour:
		start = at.Truncate(time.Hour)
		return start, start.Add(time.Hour)
	}
	start = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
	return start, start.AddDate(0, 1, 0)
}
