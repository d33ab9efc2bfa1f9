package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/signalbox/signalbox/server/logs/mask"
	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Masking is what is masked in a team's lines, and who said so.
type Masking struct {
	Rules   mask.Rules `json:"rules"`
	Updated *time.Time `json:"updated_at,omitempty"`
	By      string     `json:"updated_by"`
}

// maskersLast is for how long other nodes may go on with old rules.
const maskersLast = 5 * time.Second

// maskers keeps the compiled rules of teams that send.
type maskers struct {
	mu    sync.Mutex
	known map[int64]knownMasker
}

type knownMasker struct {
	masker *mask.Masker
	read   time.Time
}

// masker is a team's. While its rules cannot be read nothing may be kept: they
// might be what stands between a secret and the disk.
func (s *Service) masker(ctx context.Context, team int64) (*mask.Masker, error) {
	s.maskers.mu.Lock()
	defer s.maskers.mu.Unlock()
	if k, ok := s.maskers.known[team]; ok && s.Now().Sub(k.read).Abs() < maskersLast {
		return k.masker, nil
	}
	now, err := s.rows.masking(ctx, team)
	if err != nil {
		return nil, fmt.Errorf("read what to mask: %w", err)
	}
	m, err := mask.Compile(now.Rules)
	if err != nil {
		return nil, fmt.Errorf("compile what to mask: %w", err)
	}
	if s.maskers.known == nil {
		s.maskers.known = map[int64]knownMasker{}
	}
	s.maskers.known[team] = knownMasker{m, s.Now()}
	return m, nil
}

func (s *Service) forgetMasker(team int64) {
	s.maskers.mu.Lock()
	defer s.maskers.mu.Unlock()
	delete(s.maskers.known, team)
}

// SetMasking changes what is masked in lines that come from now on.
func (s *Service) SetMasking(ctx context.Context, team identity.Team, rules mask.Rules) (Masking, error) {
	if _, err := mask.Compile(rules); err != nil {
		return Masking{}, err
	}
	raw, err := json.Marshal(rules)
	if err != nil {
		return Masking{}, err
	}
	defer s.forgetMasker(team.ID)
	err = s.DB.Tx(ctx, func(ctx context.Context) error {
		if err := s.rows.setMasking(ctx, team.ID, string(raw), s.Now(), identity.From(ctx).Name); err != nil || s.Audit == nil {
			return err
		}
		return s.Audit(ctx, team.ID, "logs.masking", team.Name, string(raw))
	})
	if err != nil {
		return Masking{}, err
	}
	return s.rows.masking(ctx, team.ID)
}

// MaskingPreview is what rules would do.
type MaskingPreview struct {
	Looked  int          `json:"looked"`
	Changed int          `json:"changed"`
	Lines   []MaskedLine `json:"lines"`
}

// MaskedLine is a line that rules change.
type MaskedLine struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

const (
	previewLines = 200
	previewShown = 50
)

// PreviewMasking tries rules on lines, or on the newest that the team has.
func (s *Service) PreviewMasking(ctx context.Context, team identity.Team, rules mask.Rules, lines []string) (MaskingPreview, error) {
	out := MaskingPreview{Lines: []MaskedLine{}}
	if len(lines) > previewLines {
		return out, problem.FieldError("lines", "There may be %d lines.", previewLines)
	}
	m, err := mask.Compile(rules)
	if err != nil {
		return out, err
	}
	var records []record.Record
	for _, line := range lines {
		r := record.Record{Message: line}
		record.Expand(&r, record.DefaultLimits)
		record.Normalise(&r, s.Now())
		records = append(records, r)
	}
	if lines == nil {
		found, err := s.Find(ctx, Search{Team: team.Name, From: s.Now().Add(-24 * time.Hour), To: s.Now().Add(time.Minute), Limit: previewLines})
		if err != nil {
			return out, err
		}
		for _, line := range found.Lines {
			r := record.Record{Message: line.Message}
			for _, f := range line.Fields {
				r.Fields = append(r.Fields, record.Field{Name: f.Name, Value: f.Value})
			}
			records = append(records, r)
		}
	}
	for i := range records {
		before := oneLine(&records[i])
		out.Looked++
		if !m.Record(&records[i]) {
			continue
		}
		if out.Changed++; len(out.Lines) < previewShown {
			out.Lines = append(out.Lines, MaskedLine{before, oneLine(&records[i])})
		}
	}
	return out, nil
}

// oneLine shows a line with its fields.
func oneLine(r *record.Record) string {
	var b strings.Builder
	b.WriteString(r.Message)
	for _, f := range r.Fields {
		fmt.Fprintf(&b, " %s=%s", f.Name, f.Value)
	}
	return strings.TrimSpace(b.String())
}
