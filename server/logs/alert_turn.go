package logs

import (
	"time"
)

// turn is what follows from a look at the lines. It is worked out before anything
// is written.
type turn struct {
	// began and ended are what the alert fires about since now, and no longer.
	began []begun
	ended []stateRow
	// save are states that changed without beginning to fire, drop those no longer needed.
	save []stateRow
	drop []string
	// tell are those who have still to be told of, of those that go on and of those that
	// began; remind says that there is nothing new but it is time.
	tell   []stateRow
	remind []stateRow
	// resolved are those of ended that people have been told of.
	resolved []stateRow
	firing   int
}

// begun is something new that an alert fires about.
type begun struct {
	stateRow
	observed
}

// changed reports whether pages have something new to show.
func (t turn) changed() bool { return len(t.began)+len(t.ended) > 0 }

// nothing reports whether a subject without lines has a value, 0, rather than none.
func (c AlertCondition) nothing() bool {
	if c.Kind == WhenAbsent {
		return true
	}
	if c.Kind != WhenThreshold {
		return false
	}
	st, err := c.stats()
	return err == nil && (st.Calls[0].Func == "count" || st.Calls[0].Func == "count_uniq" || st.Calls[0].Func == "sum")
}

// turn works out what a look changes. toldAt is when people were last told that the
// alert fires.
func (a Alert) turn(states []stateRow, seen []observed, toldAt int64, now time.Time) turn {
	var t turn
	found := make(map[string]observed, len(seen))
	for _, o := range seen {
		found[o.subject] = o
	}
	var untold, told []stateRow
	known, nothing := map[string]bool{}, a.Condition.nothing()
	for _, st := range states {
		known[st.Subject] = true
		o, ok := found[st.Subject]
		seenAt := st.SeenAt
		if ok && now.Sub(time.UnixMilli(seenAt)).Abs() >= time.Hour { // written once an hour
			seenAt = now.UnixMilli()
		}
		if !ok && nothing {
			o, ok = observed{subject: st.Subject}, true
		}
		after, keep := a.follow(st, o, ok, seenAt, now)
		switch {
		case st.Firing && !after.Firing:
			t.ended = append(t.ended, st)
			if st.Told && a.Resolve && !a.muted(now) {
				t.resolved = append(t.resolved, st)
			}
		case !st.Firing && after.Firing:
			o.subject = st.Subject
			t.began = append(t.began, begun{after, o})
		}
		switch {
		case !keep:
			t.drop = append(t.drop, st.Subject)
		case after != st && (st.Firing || !after.Firing):
			t.save = append(t.save, after)
		}
		if after.Firing && st.Firing {
			if after.Told {
				told = append(told, after)
			} else {
				untold = append(untold, after)
			}
		}
	}
	for _, o := range seen {
		if known[o.subject] {
			continue
		}
		known[o.subject] = true // long values may begin alike
		st := stateRow{AlertID: a.ID, Subject: o.subject, SeenAt: now.UnixMilli()}
		after, keep := a.follow(st, o, true, st.SeenAt, now)
		switch {
		case after.Firing:
			t.began = append(t.began, begun{after, o})
		case keep:
			t.save = append(t.save, after)
		}
	}
	t.firing = len(told) + len(untold) + len(t.began)
	a.speak(&t, told, untold, toldAt, now)
	return t
}

func (a Alert) muted(now time.Time) bool { return a.MutedUntil > now.UnixMilli() }

// speak decides what people are told now.
func (a Alert) speak(t *turn, told, untold []stateRow, toldAt int64, now time.Time) {
	if a.muted(now) {
		return
	}
	since := now.Sub(time.UnixMilli(toldAt)) + early
	for _, b := range t.began {
		untold = append(untold, b.stateRow)
	}
	switch {
	case len(untold) > 0 && (toldAt == 0 || since >= time.Duration(a.Throttle)*time.Minute || since < 0):
		t.tell = untold
	case len(told) > 0 && a.Remind > 0 && since >= time.Duration(a.Remind)*time.Minute:
		t.remind = told
	}
}

// follow is the state of a subject after a look that gave it a value, or none; keep
// is false when nobody needs it any more.
func (a Alert) follow(st stateRow, o observed, valued bool, seenAt int64, now time.Time) (after stateRow, keep bool) {
	c, after := a.Condition, st
	after.SeenAt = seenAt
	forgotten := c.By != "" && now.Sub(time.UnixMilli(seenAt)) > forgetGroups
	met := valued && c.met(o.value) && !forgotten
	if c.Kind == WhenPattern && st.Firing && !met {
		met, o.value = now.Sub(time.UnixMilli(st.Since)) < c.window(), *valueOr(st.Value, 0)
	}
	switch {
	case met && !st.Firing:
		after.Firing, after.Since, after.Told = true, now.UnixMilli(), false
	case !met && st.Firing:
		after.Firing, after.Since, after.Told, after.FiringID = false, 0, false, 0
	}
	after.Value = nil
	if met {
		after.Value = &o.value
		if st.Value != nil && *st.Value == o.value {
			after.Value = st.Value // the same row is not written again
		}
	}
	return after, met || c.By != "" && c.fewness() && !forgotten
}

func valueOr(p *float64, none float64) *float64 {
	if p == nil {
		return &none
	}
	return p
}

// worst is the value that says most about trouble, nil without one.
func (c AlertCondition) worst(seen []observed) *float64 {
	var out *float64
	for _, o := range seen {
		value := o.value
		if out != nil {
			value = c.worse(*out, value)
		}
		out = &value
	}
	if out == nil && c.nothing() && c.By == "" {
		return new(float64)
	}
	return out
}

// lengthen makes the window of few lines longer by the time in which nobody could
// have received any, so that the server's own stop is not taken for silence.
func (r *alertRow) lengthen(c AlertCondition, now time.Time) {
	if r.CheckedAt == 0 {
		return
	}
	pause := now.Sub(time.UnixMilli(r.CheckedAt)) - c.every()
	if pause < gapFrom {
		return
	}
	if now.UnixMilli() < r.GapUntil {
		pause += time.Duration(r.Gap) * time.Millisecond
	}
	r.Gap, r.GapUntil = min(pause, maxGap).Milliseconds(), now.Add(c.window()).UnixMilli()
}

// extra is by how much the window is longer now.
func (r alertRow) extra(c AlertCondition, now time.Time) time.Duration {
	if !c.fewness() || now.UnixMilli() >= r.GapUntil {
		return 0
	}
	return time.Duration(r.Gap) * time.Millisecond
}
