package app

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/logs"
	"github.com/signalbox/signalbox/server/platform/notify"
)

// logAlertEvent is what messages of alerts about log lines are to channels, whatever the alert.
const logAlertEvent notify.Event = "logs.alert"

// logChannels let alerts about log lines tell the team's channels.
type logChannels struct{ notify *notify.Service }

// Channels are those of the team.
func (c logChannels) Channels(ctx context.Context, team int64) ([]logs.AlertChannel, error) {
	list, err := c.notify.Channels(ctx, team)
	out := make([]logs.AlertChannel, len(list))
	for i, one := range list {
		out[i] = logs.AlertChannel{ID: one.ID, Kind: logs.AlertActionType(one.Kind), Name: one.Name, Summary: one.Summary, Enabled: one.Enabled}
	}
	return out, err
}

// Tell queues a message for a channel.
func (c logChannels) Tell(ctx context.Context, team int64, channel string, m logs.AlertMessage) (int64, error) {
	return c.notify.Send(ctx, team, channel, notify.Message{Event: logAlertEvent, Rule: "logs:" + m.Rule, Subject: "alert " + m.Rule, Good: m.Over, Now: m.Test,
		Title: m.Title, Text: m.Text, URL: m.URL, Lines: append([]string{}, m.Lines...)})
}

// Told says how messages fared.
func (c logChannels) Told(ctx context.Context, messages []int64) (map[int64]logs.AlertTold, error) {
	list, err := c.notify.Outcomes(ctx, messages)
	told := make(map[int64]logs.AlertTold, len(list))
	for _, d := range list {
		t := logs.AlertTold{State: string(d.State), Error: d.Error}
		if d.EndedAt != 0 {
			t.EndedAt = time.UnixMilli(int64(d.EndedAt))
		}
		told[d.ID] = t
	}
	return told, err
}
