package github

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/signalbox/signalbox/server/platform/database"
)

type deliveryRow struct {
	Seq           int64 `gorm:"primaryKey"`
	ID            string
	TeamID        int64
	HookID        string
	GUID          *string `gorm:"column:guid"`
	Event         string
	Action        string
	Repository    string
	Sender        string
	ReceivedAt    int64
	Verdict       string
	Repeats       int
	Headers       string
	Body          []byte
	Blob          string
	Size          int64
	State         string
	Attempts      int
	NextAttemptAt int64
	Error         string
	DigestedAt    int64
	DigestMS      int64 `gorm:"column:digest_ms"`
	Caused        string
	GithubID      int64
	Gap           bool
	Installation  int64
}

func (deliveryRow) TableName() string { return "github_deliveries" }

func (r deliveryRow) delivery() Delivery {
	d := Delivery{Seq: r.Seq, ID: r.ID, Team: r.TeamID, Hook: r.HookID, Event: r.Event, Action: r.Action, Repository: r.Repository, Sender: r.Sender,
		ReceivedAt: Millis(r.ReceivedAt), Verdict: Verdict(r.Verdict), Repeats: r.Repeats, Body: r.Body, Size: r.Size, State: State(r.State), Attempts: r.Attempts,
		NextAt: Millis(r.NextAttemptAt), Error: r.Error, DigestedAt: Millis(r.DigestedAt), DigestMS: r.DigestMS, Caused: []Effect{},
		GithubID: r.GithubID, Gap: r.Gap, Installation: r.Installation}
	if r.GUID != nil {
		d.GUID = *r.GUID
	}
	// Both were written by us; a row that does not read is shown without them.
	_ = json.Unmarshal([]byte(r.Headers), &d.Headers)
	_ = json.Unmarshal([]byte(r.Caused), &d.Caused)
	return d
}

const deliveryColumns = 21

// insertDeliveries stores rows in one statement, and returns the ids of those
// that were new: a row whose hook has a delivery of its GUID already is left out.
func (s *Service) insertDeliveries(ctx context.Context, rows ...deliveryRow) (inserted map[string]bool, err error) {
	marks := "(" + strings.Repeat("?, ", deliveryColumns-1) + "?)"
	args := make([]any, 0, deliveryColumns*len(rows))
	for _, r := range rows {
		args = append(args, r.ID, r.TeamID, r.HookID, r.GUID, r.Event, r.Action, r.Repository, r.Sender, r.ReceivedAt, r.Verdict, r.Repeats, r.Headers,
			r.Body, r.Blob, r.Size, r.State, r.Error, r.DigestedAt, r.GithubID, r.Gap, r.Installation)
	}
	var ids []string
	err = s.DB.Writer(ctx).Raw(`INSERT INTO github_deliveries
		(id, team_id, hook_id, guid, event, action, repository, sender, received_at, verdict, repeats, headers, body, blob, size, state, error, digested_at,
		github_id, gap, installation)
		VALUES `+marks+strings.Repeat(", "+marks, len(rows)-1)+` ON CONFLICT (hook_id, guid) DO NOTHING RETURNING id`, args...).Scan(&ids).Error
	inserted = map[string]bool{}
	for _, id := range ids {
		inserted[id] = true
	}
	return inserted, err
}

func (s *Service) deliveryOf(ctx context.Context, hook, guid string) (id string, err error) {
	err = s.DB.Reader(ctx).Model(&deliveryRow{}).Where("hook_id = ? AND guid = ?", hook, guid).Select("id").Take(&id).Error
	return id, err
}

func (s *Service) findDelivery(ctx context.Context, id string) (deliveryRow, error) {
	var row deliveryRow
	err := s.DB.Reader(ctx).Where("id = ?", id).Take(&row).Error
	return row, database.NotFound(err, "There is no such delivery, or it is past its time.")
}

// DeliveryFilter narrows a list; zero fields do not.
type DeliveryFilter struct {
	Hook, Event, Repository, Sender string
	// Text is looked for in event, action, repository, sender, GUID and error.
	Text string
	// Gap narrows to those that were fetched.
	Gap     bool
	State   State
	Verdict Verdict
	// Before is the id of the last delivery of the page before.
	Before string
	Limit  int
}

// likeEscape has a pattern match what was typed and nothing else.
var likeEscape = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// Deliveries lists those of the given teams from the newest, without bodies and headers.
func (s *Service) Deliveries(ctx context.Context, f DeliveryFilter, teams ...int64) ([]Delivery, error) {
	if f.Limit < 1 || f.Limit > 200 {
		f.Limit = 50
	}
	q := s.DB.Reader(ctx).Where("team_id IN ?", teams).Omit("headers", "body").Order("seq DESC").Limit(f.Limit)
	for column, value := range map[string]string{"hook_id": f.Hook, "event": f.Event, "LOWER(repository)": strings.ToLower(f.Repository), "sender": f.Sender, "state": string(f.State), "verdict": string(f.Verdict)} {
		if value != "" {
			q = q.Where(column+" = ?", value)
		}
	}
	if f.Gap {
		q = q.Where("gap")
	}
	if text := strings.ToLower(strings.TrimSpace(f.Text)); text != "" {
		like := "%" + likeEscape.Replace(text) + "%"
		q = q.Where(`LOWER(event || ' ' || action || ' ' || repository || ' ' || sender || ' ' || COALESCE(guid, '') || ' ' || error) LIKE ? ESCAPE '\'`, like)
	}
	if f.Before != "" {
		q = q.Where("seq < (SELECT d.seq FROM github_deliveries d WHERE d.id = ?)", f.Before)
	}
	var rows []deliveryRow
	err := q.Find(&rows).Error
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	if err != nil {
		return list, err
	}
	return list, s.addEffects(ctx, list)
}

// due gives waiting deliveries in order. In a transaction on PostgreSQL it locks
// them and passes over those that another node is digesting; effects, which refer to
// them, may be told meanwhile.
func (s *Service) due(ctx context.Context, limit int) ([]deliveryRow, error) {
	lock := ""
	if s.DB.Dialect == database.Postgres {
		lock = " FOR NO KEY UPDATE SKIP LOCKED"
	}
	var rows []deliveryRow
	err := s.DB.Writer(ctx).Raw("SELECT * FROM github_deliveries WHERE state = 'waiting' AND next_attempt_at <= ? ORDER BY seq LIMIT ?"+lock,
		s.millis(), limit).Scan(&rows).Error
	return rows, err
}

// dueOne is due for one delivery; false when it is no longer waiting or another node has it.
func (s *Service) dueOne(ctx context.Context, seq int64) (deliveryRow, bool, error) {
	lock := ""
	if s.DB.Dialect == database.Postgres {
		lock = " FOR NO KEY UPDATE SKIP LOCKED"
	}
	var rows []deliveryRow
	err := s.DB.Writer(ctx).Raw("SELECT * FROM github_deliveries WHERE seq = ? AND state = 'waiting'"+lock, seq).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return deliveryRow{}, false, err
	}
	return rows[0], true, nil
}

func (s *Service) anyWaiting(ctx context.Context) (bool, error) {
	var n int64
	err := s.DB.Reader(ctx).Raw("SELECT COUNT(*) FROM (SELECT 1 FROM github_deliveries WHERE state = 'waiting' AND next_attempt_at <= ? LIMIT 1) w", s.millis()).Scan(&n).Error
	return n > 0, err
}

func (s *Service) markDone(ctx context.Context, row deliveryRow, caused []Effect) error {
	if caused == nil {
		caused = []Effect{}
	}
	text, err := json.Marshal(caused)
	if err != nil {
		return err
	}
	now := s.millis()
	return s.DB.Writer(ctx).Exec(`UPDATE github_deliveries SET state = 'done', attempts = attempts + 1, error = '', digested_at = ?, digest_ms = ?, caused = ?
		WHERE seq = ?`, now, now-row.ReceivedAt, string(text), row.Seq).Error
}

func (s *Service) markError(ctx context.Context, seq int64, state State, attempts int, next int64, message string) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_deliveries SET state = ?, attempts = ?, next_attempt_at = ?, error = ? WHERE seq = ? AND state = 'waiting'",
		state, attempts, next, message, seq).Error
}

func (s *Service) waitAgain(ctx context.Context, seq int64) error {
	return s.DB.Writer(ctx).Exec("UPDATE github_deliveries SET state = 'waiting', attempts = 0, next_attempt_at = 0, error = '' WHERE seq = ?", seq).Error
}

func (s *Service) oldDeliveries(ctx context.Context, before int64, limit int) (seqs []int64, err error) {
	err = s.DB.Reader(ctx).Model(&deliveryRow{}).Where("received_at < ? AND state <> 'waiting'", before).Order("received_at").Limit(limit).Pluck("seq", &seqs).Error
	return seqs, err
}

func (s *Service) removeDeliveries(ctx context.Context, seqs []int64) (int64, error) {
	r := s.DB.Writer(ctx).Where("seq IN ?", seqs).Delete(&deliveryRow{})
	return r.RowsAffected, r.Error
}

// disownBodies lets go of the stored bodies of the deliveries that match.
func (s *Service) disownBodies(ctx context.Context, where string, arg any) error {
	var rows []deliveryRow
	err := s.DB.Reader(ctx).Select("id, team_id, blob").Where("blob <> ''").Where(where, arg).Find(&rows).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := s.Blobs.Disown(ctx, r.TeamID, r.Blob, blobKind, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// repeatRefusal counts n more refusals on the hook's newest refused row.
func (s *Service) repeatRefusal(ctx context.Context, hook string, n int) error {
	return s.DB.Writer(ctx).Exec(`UPDATE github_deliveries SET repeats = repeats + ? WHERE seq =
		(SELECT MAX(d.seq) FROM github_deliveries d WHERE d.hook_id = ? AND d.verdict = 'refused')`, n, hook).Error
}

// capRefusals removes the hook's oldest refused rows beyond keep.
func (s *Service) capRefusals(ctx context.Context, hook string, keep int) error {
	return s.DB.Writer(ctx).Exec(`DELETE FROM github_deliveries WHERE hook_id = ? AND verdict = 'refused' AND seq NOT IN
		(SELECT d.seq FROM github_deliveries d WHERE d.hook_id = ? AND d.verdict = 'refused' ORDER BY d.seq DESC LIMIT ?)`, hook, hook, keep).Error
}
