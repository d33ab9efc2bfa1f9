package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"
)

const (
	// compareEvery is how often a hook's deliveries are compared with GitHub's list.
	compareEvery = time.Hour
	// compareWindow is how long GitHub keeps deliveries.
	compareWindow = 72 * time.Hour
	// compareOverlap is looked at again: GitHub lists a delivery a moment after it made it.
	compareOverlap = 15 * time.Minute
	// compareGrace is for deliveries that may still be on their way.
	compareGrace = time.Minute
	// compareClaim keeps other nodes off a hook that one is comparing.
	compareClaim = 10 * time.Minute
	// askedAgain is when to look for those that GitHub was asked to send again.
	askedAgain = 2 * time.Minute
	// pingAfter is how quiet a hook may be before GitHub is asked for a ping, which
	// proves it alive without anything happening.
	pingAfter = 12 * time.Hour
	gapsEvery = time.Minute
)

// deliveryLog is GitHub's list of one hook's deliveries.
type deliveryLog struct {
	list  func(context.Context, *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error)
	get   func(context.Context, int64) (*github.HookDelivery, *github.Response, error)
	again func(context.Context, int64) (*github.HookDelivery, *github.Response, error)
}

func (c *apiClient) deliveries(row hookRow) deliveryLog {
	r, o := c.client.Repositories, c.client.Organizations
	switch {
	case row.Kind == HookApp && c.app != nil:
		return deliveryLog{c.app.Apps.ListHookDeliveries, c.app.Apps.GetHookDelivery, c.app.Apps.RedeliverHookDelivery}
	case row.Kind == HookOrganization:
		return deliveryLog{
			list: func(ctx context.Context, opt *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error) {
				return o.ListHookDeliveries(ctx, row.Owner, row.GithubID, opt)
			},
			get: func(ctx context.Context, id int64) (*github.HookDelivery, *github.Response, error) {
				return o.GetHookDelivery(ctx, row.Owner, row.GithubID, id)
			},
			again: func(ctx context.Context, id int64) (*github.HookDelivery, *github.Response, error) {
				return o.RedeliverHookDelivery(ctx, row.Owner, row.GithubID, id)
			},
		}
	}
	return deliveryLog{
		list: func(ctx context.Context, opt *github.ListCursorOptions) ([]*github.HookDelivery, *github.Response, error) {
			return r.ListHookDeliveries(ctx, row.Owner, row.Repo, row.GithubID, opt)
		},
		get: func(ctx context.Context, id int64) (*github.HookDelivery, *github.Response, error) {
			return r.GetHookDelivery(ctx, row.Owner, row.Repo, row.GithubID, id)
		},
		again: func(ctx context.Context, id int64) (*github.HookDelivery, *github.Response, error) {
			return r.RedeliverHookDelivery(ctx, row.Owner, row.Repo, row.GithubID, id)
		},
	}
}

// CloseGaps compares the deliveries of every hook whose turn it is with GitHub's
// list, and takes in what did not arrive. Hooks that were not compared since we
// started come first: that is when an outage of ours ends.
func (s *Service) CloseGaps(ctx context.Context) error {
	rows, err := s.dueComparisons(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		claimed, err := s.claimComparison(ctx, row)
		if err != nil {
			return err
		}
		if claimed {
			if err := s.compare(ctx, row); err != nil {
				return err
			}
		}
	}
	return s.FollowUp(ctx)
}

// compare works on one hook and notes what it found; its error is the database's.
func (s *Service) compare(ctx context.Context, row hookRow) error {
	began := s.Now()
	found, err := s.closeGap(ctx, row)
	if ctx.Err() != nil {
		return s.unclaimComparison(context.WithoutCancel(ctx), row)
	}
	row.Missing, row.Recovered = found.missing, row.Recovered+found.recovered
	row.MissedAt = max(row.MissedAt, found.missedAt)
	row.CompareError, row.CompareNext = "", began.Add(compareEvery).UnixMilli()
	switch {
	case err != nil:
		if !found.listed {
			row.Missing = 0
			if old, findErr := s.findHook(ctx, row.ID); findErr == nil {
				row.Missing = old.Missing
			}
		}
		row.CompareFailures++
		row.CompareError = explainAPI(err)
		wait, known := retryAfter(err, s.Now())
		if !known {
			wait = min(15*time.Second<<min(row.CompareFailures, 10), 5*time.Minute)
		}
		row.CompareNext = s.Now().Add(wait).UnixMilli()
	case found.missing > 0:
		row.ComparedAt, row.CompareFailures, row.CompareNext = began.UnixMilli(), 0, s.Now().Add(askedAgain).UnixMilli()
	default:
		row.ComparedAt, row.CompareFailures = began.UnixMilli(), 0
	}
	if err := s.noteComparison(ctx, row); err != nil {
		return err
	}
	return s.lookAfter(ctx, row, err)
}

// gap is what one comparison found.
type gap struct {
	listed             bool
	missing, recovered int64
	missedAt           int64
}

func (s *Service) closeGap(ctx context.Context, row hookRow) (gap, error) {
	c, err := s.findConnection(ctx, *row.ConnectionID)
	if err != nil {
		return gap{}, err
	}
	client, err := s.clientOf(c)
	if err != nil {
		return gap{}, err
	}
	log := client.deliveries(row)
	missed, err := s.missed(ctx, log, row)
	if err != nil {
		return gap{}, err
	}
	found := gap{listed: true, missing: int64(len(missed))}
	for _, d := range missed {
		found.missedAt = max(found.missedAt, d.GetDeliveredAt().UnixMilli())
	}
	for _, d := range missed {
		recovered, settled, err := s.recover(ctx, log, row, d)
		if err != nil {
			return found, fmt.Errorf("recover delivery %d: %w", d.GetID(), err)
		}
		if recovered {
			found.recovered++
		}
		if settled {
			found.missing--
		}
	}
	return found, nil
}

// missed lists, the oldest first, what GitHub sent and we do not have.
func (s *Service) missed(ctx context.Context, log deliveryLog, row hookRow) ([]*github.HookDelivery, error) {
	now := s.Now()
	since := now.Add(-compareWindow)
	if last := time.UnixMilli(row.ComparedAt).Add(-compareOverlap); row.ComparedAt > 0 && row.Missing == 0 && last.After(since) {
		since = last
	}
	sent := map[string]*github.HookDelivery{}
	young := map[string]bool{}
	options := &github.ListCursorOptions{PerPage: 100}
	for more := true; more; {
		page, response, err := log.list(ctx, options)
		if err != nil {
			return nil, err
		}
		for _, d := range page {
			guid, at := d.GetGUID(), d.GetDeliveredAt().Time
			if at.Before(since) {
				more = false
				break
			}
			if !validGUID.MatchString(guid) || !validEvent.MatchString(d.GetEvent()) || d.GetEvent() == "ping" {
				continue
			}
			if code := d.GetStatusCode(); code < 300 && now.Sub(at) < compareGrace {
				young[guid] = true // perhaps still on its way
			}
			if sent[guid] == nil {
				sent[guid] = d // the newest attempt
			}
		}
		if options.Cursor = response.Cursor; options.Cursor == "" || len(page) == 0 {
			more = false
		}
	}
	return s.unknownOf(ctx, row.ID, sent, young)
}

func (s *Service) unknownOf(ctx context.Context, hook string, sent map[string]*github.HookDelivery, young map[string]bool) ([]*github.HookDelivery, error) {
	guids := make([]string, 0, len(sent))
	for guid := range sent {
		guids = append(guids, guid)
	}
	known, err := s.knownGUIDs(ctx, hook, guids)
	if err != nil {
		return nil, err
	}
	list := []*github.HookDelivery{}
	for guid, d := range sent {
		if !known[guid] && !young[guid] {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *github.HookDelivery) int {
		return cmp.Or(a.GetDeliveredAt().Compare(b.GetDeliveredAt().Time), cmp.Compare(a.GetID(), b.GetID()))
	})
	return list, nil
}

// recover fetches one delivery and takes it in as if it had arrived; when GitHub
// does not hand out its payload it is asked to send it again. Settled are those
// that nothing more can be done about.
func (s *Service) recover(ctx context.Context, log deliveryLog, row hookRow, d *github.HookDelivery) (recovered, settled bool, err error) {
	whole, _, err := log.get(ctx, d.GetID())
	if status := statusOf(err); err != nil && status != http.StatusNotFound && status != http.StatusGone && status != http.StatusUnprocessableEntity {
		return false, false, err
	}
	if err != nil || whole.Request == nil || whole.Request.RawPayload == nil {
		return s.askAgain(ctx, log, d)
	}
	hook, err := s.openHook(ctx, row.ID)
	if err != nil {
		return false, false, err
	}
	header := http.Header{}
	for name, value := range whole.Request.Headers {
		header.Set(name, value)
	}
	header.Set("X-GitHub-Event", d.GetEvent())
	header.Set("X-GitHub-Delivery", d.GetGUID())
	header.Set("Content-Type", "application/json") // the payload is the document, however it was sent
	kept, err := hook.read(header, "", *whole.Request.RawPayload, s.Now())
	if err != nil {
		s.Log.Warn("a missed delivery cannot be taken in", "hook", row.ID, "delivery", d.GetID(), "error", err)
		return false, true, nil
	}
	kept.Gap, kept.GithubID = true, d.GetID()
	_, duplicate, err := s.keep(ctx, kept)
	return err == nil && !duplicate, err == nil, err
}

func (s *Service) askAgain(ctx context.Context, log deliveryLog, d *github.HookDelivery) (recovered, settled bool, err error) {
	_, _, err = log.again(ctx, d.GetID())
	var accepted *github.AcceptedError
	switch status := statusOf(err); {
	case err == nil || errors.As(err, &accepted):
		return false, false, nil // it is on its way; the next comparison sees
	case status == http.StatusNotFound || status == http.StatusGone || status == http.StatusUnprocessableEntity || status == http.StatusBadRequest:
		s.Log.Warn("GitHub has forgotten a missed delivery", "delivery", d.GetID(), "event", d.GetEvent())
		return false, true, nil
	}
	return false, false, err
}
