package issues

import (
	"time"
)

// lookSpikes walks the week in steps of five minutes.
func (p *previewer) lookSpikes(project int64) error {
	c := p.alert.Condition
	grain, n := int64(paceSlot/time.Second), c.paceSlots()
	from, to := p.since.Unix()/grain, p.now.Unix()/grain+1
	first, err := p.service.rows().firstPace(p.ctx, project)
	if err != nil || first == 0 {
		return err
	}
	p.partial = p.partial || first > from-n-weekOfPace
	pace, err := p.service.rows().pace(p.ctx, project, p.alert.Environment, from-n-weekOfPace, to)
	if err != nil {
		return err
	}
	var now, before int64
	for slot := from - n; slot < to; slot++ {
		now += pace[slot] - pace[slot-n]
		before += pace[slot-weekOfPace] - pace[slot-weekOfPace-n]
		if slot < from || first > slot-n-weekOfPace {
			continue
		}
		if why := c.spike(now, before); why != "" {
			p.found = append(p.found, past{at: min((slot+1)*grain*1000, p.now.UnixMilli()), project: project, why: why, subject: "project:" + formatID(project)})
		}
	}
	return nil
}

// lookCrashFree walks the week in steps of an hour.
func (p *previewer) lookCrashFree(project int64) error {
	c := p.alert.Condition
	from, to := hourNumber(p.since), hourNumber(p.now)
	list, err := p.service.rows().sessionHours(p.ctx, project, p.alert.Environment, from-c.hours())
	if err != nil {
		return err
	}
	total, crashed := map[int64]int64{}, map[int64]int64{}
	for _, h := range list {
		total[h.Hour], crashed[h.Hour] = h.Total, h.Crashed
	}
	var sessions, crashes int64
	for hour := from - c.hours(); hour <= to; hour++ {
		sessions += total[hour] - total[hour-c.hours()]
		crashes += crashed[hour] - crashed[hour-c.hours()]
		if hour < from {
			continue
		}
		if why := c.crashes(sessions, crashes); why != "" {
			p.found = append(p.found, past{at: min((hour+1)*3600*1000, p.now.UnixMilli()), project: project, why: why, subject: "project:" + formatID(project)})
		}
	}
	return nil
}

// lookMonitors lists check-ins that went wrong.
func (p *previewer) lookMonitors() error {
	list, err := p.service.rows().wrongCheckIns(p.ctx, p.alert.Team, p.since.UnixMilli(), maxPreviewEvents)
	if err != nil {
		return err
	}
	words := map[MonitorOutcome]string{MonitorMissed: "was missed", MonitorLate: "came late", MonitorFailed: "failed"}
	p.partial = p.partial || len(list) == maxPreviewEvents
	for _, c := range list {
		if !p.alert.covers(c.ProjectID) || p.alert.Environment != "" && p.alert.Environment != c.Environment || !p.alert.waitsFor(c.outcome()) {
			continue
		}
		f := monitorFiring(c.ProjectID, c.MonitorID, c.Slug, c.Environment, words[c.outcome()])
		p.found = append(p.found, past{at: max(c.StartedAt, c.EndedAt), project: c.ProjectID, why: f.why, subject: f.subject})
	}
	return nil
}
