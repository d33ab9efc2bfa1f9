package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// check settles the values of a term by the type of its key; the result is a
// sentence when one does not fit.
func check(t *Term) string {
	if t.Op != Equal && t.Type != Number && t.Type != Moment {
		return fmt.Sprintf("%s cannot be compared with %s; numbers (events, users) and times (first_seen, last_seen) can. To search for the sign, quote the value.", t.Key, t.Op)
	}
	for i := range t.Values {
		v := &t.Values[i]
		var sentence string
		switch t.Type {
		case State:
			sentence = checkState(v)
		case Number:
			sentence = checkNumber(t.Key, v)
		case Moment:
			if len(t.Values) > 1 {
				return t.Key + " takes one time, not a list."
			}
			sentence = checkMoment(t, v)
		case Person:
			if v.Text == "" {
				sentence = "Behind assigned: stands a name, me, or none."
			}
		}
		if sentence != "" {
			return sentence
		}
	}
	return ""
}

func checkState(v *Value) string {
	name := states[strings.ToLower(v.Text)]
	if name == "" || v.Parts != nil {
		return fmt.Sprintf("There is no state %q; there are %s.", v.Text, strings.Join(StateNames(), ", "))
	}
	v.Text = name
	return ""
}

func checkNumber(key string, v *Value) string {
	s := strings.ToLower(v.Text)
	factor := 1.0
	switch {
	case strings.HasSuffix(s, "k"):
		factor, s = 1e3, s[:len(s)-1]
	case strings.HasSuffix(s, "m"):
		factor, s = 1e6, s[:len(s)-1]
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || v.Parts != nil || strings.ContainsAny(s, "xp_") {
		return fmt.Sprintf("%s is compared with a number, not with %q: %s:>10.", key, v.Text, key)
	}
	v.Number = n * factor
	return ""
}

var units = map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// checkMoment reads a date, a time, or a distance from now: -7d means within
// the last seven days, +7d longer ago.
func checkMoment(t *Term, v *Value) string {
	wrong := fmt.Sprintf("%s is compared with a time, not with %q: %s:-7d (within the last 7 days), %s:+30m (longer ago), %s:>2026-01-31.", t.Key, v.Text, t.Key, t.Key, t.Key)
	s := v.Text
	if s == "" || v.Parts != nil {
		return wrong
	}
	if s[0] == '-' || s[0] == '+' {
		n, err := strconv.ParseUint(s[1:max(len(s)-1, 1)], 10, 32)
		unit := units[s[len(s)-1]]
		if err != nil || unit == 0 || n == 0 || n > 100_000 {
			return wrong
		}
		v.Ago = time.Duration(n) * unit
		if t.Op == Equal {
			t.Op = AtLeast
			if s[0] == '+' {
				t.Op = AtMost
			}
		}
		v.Text = "-" + s[1:]
		return ""
	}
	for _, layout := range [...]string{"2006-01-02", time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		at, err := time.Parse(layout, s)
		if err == nil {
			v.Time, v.Day = at.UTC(), layout == "2006-01-02"
			return ""
		}
	}
	return wrong
}
