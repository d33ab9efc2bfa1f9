package logs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/work"
)

// Delivery is one request of a webhook, as a line tells it.
type Delivery struct {
	// Seq orders them, ID names one.
	Seq                                       int64
	Team                                      int64
	ID, GUID, Event, Action                   string
	Repository, Sender, Verdict, State, Error string
	At                                        time.Time
	Size, DigestMS                            int64
	Attempts                                  int
	// Settled says that nothing more will be said of it; Refused and Failed how it ended.
	Settled, Refused, Failed bool
}

const (
	// deliveryPast is how old a delivery may be that gets a line.
	deliveryPast = 24 * time.Hour
	// deliveryPatience is how long a line waits for what becomes of its delivery.
	deliveryPatience = 30 * time.Second
	deliveryPage     = 200
	deliveryPages    = 50
)

// deliveries makes lines of deliveries. Which have theirs is read from the store at
// the start and after an error: so a line that was kept is not kept again.
type deliveries struct {
	service *Service
	// list gives them from the newest, before the one with that Seq unless it is 0.
	list   func(ctx context.Context, before int64, limit int) ([]Delivery, error)
	loaded map[int64]bool
	known  map[string]time.Time
}

// DeliveryLoop makes a line of each delivery of a webhook. list gives those of all teams
// from the newest, before the one with that Seq unless it is 0.
func (s *Service) DeliveryLoop(list func(ctx context.Context, before int64, limit int) ([]Delivery, error)) work.Loop {
	return work.Loop{Name: "logs.deliveries", Every: 5 * time.Second, Run: s.deliveries(list).keep}
}

func (s *Service) deliveries(list func(ctx context.Context, before int64, limit int) ([]Delivery, error)) *deliveries {
	return &deliveries{service: s, list: list, loaded: map[int64]bool{}, known: map[string]time.Time{}}
}

// keep makes lines of the deliveries that have none. It reads their rows
// when they are there: the request that brought one knows nothing of it.
func (d *deliveries) keep(ctx context.Context) error {
	now := d.service.Now()
	oldest := now.Add(-deliveryPast)
	news := map[int64][]Delivery{}
	before := int64(0)
	for range deliveryPages {
		page, err := d.list(ctx, before, deliveryPage)
		if err != nil {
			return fmt.Errorf("list deliveries: %w", err)
		}
		fresh := 0
		for _, one := range page {
			before = one.Seq
			if one.At.Before(oldest) {
				continue
			}
			if err := d.load(ctx, one.Team, oldest); err != nil {
				return err
			}
			if _, known := d.known[one.ID]; known {
				continue
			}
			fresh++
			if one.Settled || now.Sub(one.At) > deliveryPatience {
				news[one.Team] = append(news[one.Team], one)
			}
		}
		if fresh == 0 || len(page) < deliveryPage {
			break
		}
	}
	var errs []error
	for team, list := range news {
		slices.Reverse(list) // oldest first
		errs = append(errs, d.keepOf(ctx, team, list))
	}
	for id, at := range d.known {
		if at.Before(oldest.Add(-time.Hour)) {
			delete(d.known, id)
		}
	}
	return errors.Join(errs...)
}

// load finds out which deliveries of a team have their line.
func (d *deliveries) load(ctx context.Context, team int64, since time.Time) error {
	if d.loaded[team] {
		return nil
	}
	rows := d.service.Store.Search(ctx, store.Request{Team: team, From: since, Match: ofSource(SourceDelivery)})
	for row := range rows.All() {
		if f, ok := row.Field(fieldDelivery); ok {
			d.known[strings.Clone(f.Value)] = row.Time
		}
	}
	if partial := rows.Stats().Partial; rows.Err() == nil && partial != store.Whole && partial != store.PartialDamage {
		return fmt.Errorf("find the lines of deliveries: the search ended early (%s)", partial)
	}
	d.loaded[team] = rows.Err() == nil
	return rows.Err()
}

func (d *deliveries) keepOf(ctx context.Context, team int64, list []Delivery) error {
	for part := range slices.Chunk(list, insideBatch) {
		b := Batch{Team: team, Source: SourceDelivery, Mark: func(i int, r *record.Record) {
			r.Set(record.Field{Name: fieldDelivery, Value: part[i].ID})
		}}
		for _, one := range part {
			b.Records = append(b.Records, one.record())
		}
		if err := d.service.Accept(context.WithoutCancel(ctx), b); err != nil {
			d.loaded[team] = false // some may be kept
			return err
		}
		for _, one := range part {
			d.known[one.ID] = one.At
		}
	}
	return nil
}

func (d Delivery) record() record.Record {
	r := record.Record{Time: d.At, Level: record.Info, Stream: record.MakeLabels(map[string]string{"source": SourceDelivery, "service": "github"})}
	switch {
	case d.Failed:
		r.Level = record.Error
	case d.Refused:
		r.Level = record.Warn
	}
	text := strings.TrimSpace(d.Event + " " + d.Action)
	if text == "" {
		text = "a request"
	}
	if d.Repository != "" {
		text += " of " + d.Repository
	}
	if d.Sender != "" {
		text += " by " + d.Sender
	}
	r.Message = "Delivery: " + text + ", " + d.Verdict
	if d.State != "none" {
		r.Message += ", " + d.State
	}
	if d.Error != "" {
		r.Message += ": " + d.Error
	}
	r.Message = clipText(r.Message, maxLine)
	for name, value := range map[string]string{"guid": d.GUID, "event": d.Event, "action": d.Action, "repository": d.Repository, "sender": d.Sender, "verdict": d.Verdict, "state": d.State} {
		if value != "" {
			r.Set(record.Field{Name: name, Value: value})
		}
	}
	for name, n := range map[string]int64{"bytes": d.Size, "digest_ms": d.DigestMS, "attempts": int64(d.Attempts)} {
		r.Set(record.Field{Name: name, Value: strconv.FormatInt(n, 10), Kind: record.Number})
	}
	return r
}

// ofSource matches the lines of a source inside, on whichever server they are.
func ofSource(name string) *query.Plan {
	return query.NewPlan(&query.Query{Filter: query.Compare{Field: "source", Op: query.Equal, Value: name, Exact: true, Label: true}}, nil)
}
