package github

import (
	"context"
	"slices"
)

// dueComparisons lists the hooks whose turn it is, those that were not compared
// since we started first. After a failure a hook waits for its time all the same.
func (s *Service) dueComparisons(ctx context.Context) ([]hookRow, error) {
	var rows []hookRow
	err := s.DB.Reader(ctx).Where(`connection_id IS NOT NULL AND (kind = ? OR github_id <> 0 AND owner <> '')
		AND (compare_next <= ? OR compared_at < ? AND compare_error = '' AND compare_next < ?)`, HookApp, s.millis(), s.started.UnixMilli(), s.started.Add(compareEvery).UnixMilli()).
		Order("compared_at, id").Limit(500).Find(&rows).Error
	return slices.DeleteFunc(rows, func(r hookRow) bool { return !r.comparable() }), err
}

// claimComparison reports false when another node has the hook.
func (s *Service) claimComparison(ctx context.Context, row hookRow) (bool, error) {
	until := max(s.Now().Add(compareClaim).UnixMilli(), s.started.Add(compareEvery).UnixMilli())
	r := s.DB.Writer(ctx).Exec("UPDATE github_hooks SET compare_next = ? WHERE id = ? AND compare_next = ?", until, row.ID, row.CompareNext)
	return r.RowsAffected == 1, r.Error
}

func (s *Service) unclaimComparison(ctx context.Context, row hookRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET compare_next = 0 WHERE id = ?", row.ID).Error
}

func (s *Service) noteComparison(ctx context.Context, r hookRow) error {
	return s.DB.Tx(ctx, func(ctx context.Context) error {
		err := s.DB.Writer(ctx).Exec(`UPDATE github_hooks SET compared_at = ?, compare_next = ?, compare_error = ?, compare_failures = ?, missing = ?, recovered = ?,
			missed_at = ? WHERE id = ?`, r.ComparedAt, r.CompareNext, r.CompareError, r.CompareFailures, r.Missing, r.Recovered, r.MissedAt, r.ID).Error
		if err != nil {
			return err
		}
		return s.publish(ctx, r.TeamID, hookTopic, r.ID)
	})
}

// knownGUIDs are those of which the hook has an accepted delivery.
func (s *Service) knownGUIDs(ctx context.Context, hook string, guids []string) (map[string]bool, error) {
	known := map[string]bool{}
	for chunk := range slices.Chunk(guids, 400) {
		var found []string
		err := s.DB.Reader(ctx).Model(&deliveryRow{}).Where("hook_id = ? AND guid IN ?", hook, chunk).Pluck("guid", &found).Error
		if err != nil {
			return nil, err
		}
		for _, guid := range found {
			known[guid] = true
		}
	}
	return known, nil
}

func (s *Service) noteNumber(ctx context.Context, row deliveryRow) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_deliveries SET github_id = ? WHERE seq = ?", row.GithubID, row.Seq).Error
}

// learnHook notes what a hook entered by hand is at, as its deliveries tell.
func (s *Service) learnHook(ctx context.Context, id string, kind HookKind, owner, repo string, githubID int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_hooks SET kind = ?, owner = ?, repo = ?, github_id = ? WHERE id = ? AND kind = ? AND github_id = 0",
		kind, owner, repo, githubID, id, HookPlain).Error
}
