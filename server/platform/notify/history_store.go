package notify

import (
	"context"
	"strings"
)

type keptRow struct {
	Row         deliveryRow `gorm:"embedded"`
	ChannelName string
	ChannelKind Kind
}

// search lists deliveries, newest first.
func (s *Service) search(ctx context.Context, team int64, in Search, capabilities []string, limit int) ([]Kept, error) {
	q := s.DB.Reader(ctx).Table("notify_deliveries AS d").Select("d.*, c.name AS channel_name, c.kind AS channel_kind").
		Joins("JOIN notify_channels c ON c.id = d.channel_id").Where("d.team_id = ?", team)
	for column, value := range map[string]string{"d.channel_id": in.Channel, "d.rule": in.Rule, "d.state": string(in.State)} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	if in.Into != 0 {
		q = q.Where("d.into_id = ?", in.Into)
	}
	if in.Before != 0 {
		q = q.Where("d.id < ?", in.Before)
	}
	if text := strings.TrimSpace(in.Text); text != "" {
		like := "%" + likeEscape.Replace(strings.ToLower(text)) + "%"
		q = q.Where(`(LOWER(d.title) LIKE ? ESCAPE '\' OR LOWER(c.name) LIKE ? ESCAPE '\' OR LOWER(d.error) LIKE ? ESCAPE '\')`, like, like, like)
	}
	words := capabilities
	if in.Capability != "" {
		words = nil
		for _, word := range capabilities {
			if word == in.Capability {
				words = []string{word}
			}
		}
	}
	either, args := []string{"1 = 0"}, []any{}
	for _, word := range words {
		either, args = append(either, "d.rule LIKE ?"), append(args, word+":%")
	}
	if in.Capability == "" {
		either = append(either, "d.rule = ''")
	}
	var rows []keptRow
	if err := q.Where("("+strings.Join(either, " OR ")+")", args...).Order("d.id DESC").Limit(limit).Scan(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Kept, len(rows))
	for i, r := range rows {
		word, _, _ := strings.Cut(r.Row.Rule, ":")
		list[i] = Kept{Delivery: r.Row.delivery(), Channel: r.Row.ChannelID, ChannelName: r.ChannelName, ChannelKind: r.ChannelKind, Capability: word}
	}
	return list, nil
}

var likeEscape = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// counts says how many deliveries are in each state.
func (s *Service) counts(ctx context.Context, team int64) (Counts, error) {
	var rows []struct {
		State State
		N     int64
	}
	err := s.DB.Reader(ctx).Raw("SELECT state, COUNT(*) AS n FROM notify_deliveries WHERE team_id = ? GROUP BY state", team).Scan(&rows).Error
	out := Counts{Waiting: 0, Sent: 0, Failed: 0, Held: 0, Grouped: 0}
	for _, r := range rows {
		out[r.State] = r.N
	}
	return out, err
}
