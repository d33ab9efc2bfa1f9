package resource

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// fakeDesk decides as it is told.
type fakeDesk struct {
	verdict Verdict
	err     error
	asked   []Gate
}

func (d *fakeDesk) Ask(_ context.Context, g Gate) (Asked, error) {
	d.asked = append(d.asked, g)
	return Asked{ID: "abc", ExpiresAt: time.Unix(1_700_000_000, 0)}, nil
}

func (d *fakeDesk) Await(_ context.Context, id string) (Verdict, error) {
	if id != "abc" {
		return Verdict{}, errors.New("asked for another")
	}
	return d.verdict, d.err
}

func TestApprovalPut(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		verdict Verdict
		words   string
	}{
		"approved":             {Verdict{Approved: true, By: "bob", Reason: "tested"}, "approved by bob: tested"},
		"approved, no reason":  {Verdict{Approved: true, By: "bob"}, "approved by bob"},
		"rejected":             {Verdict{By: "bob", Reason: "no"}, "rejected by bob: no"},
		"rejected by the time": {Verdict{Reason: "nobody decided in time"}, "rejected: nobody decided in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			desk := &fakeDesk{verdict: tc.verdict}
			result, err := NewApproval(desk).Put(t.Context(), Request{Container: "h", Source: map[string]any{"approvers": []any{"owner"}, "timeout": "1h"},
				Params: map[string]any{"timeout": "2h", "reason_required": true}, Env: []string{"BUILD_NAME=7", "BUILD_ID=41"}, Log: &log})
			if want := "waiting for approval by owner, until Tue, 14 Nov 2023 22:13:20 UTC\n" + tc.words + "\n"; log.String() != want {
				t.Errorf("log %q, want %q", log.String(), want)
			}
			g := desk.asked[0]
			if g.Handle != runtime.ContainerID("h") || g.Build != 41 || !slices.Equal(g.Approvers, []string{"owner"}) || !g.ReasonRequired || g.Timeout != 2*time.Hour {
				t.Errorf("%+v", g)
			}
			var exit *ExitError
			if rejected := errors.As(err, &exit); rejected == tc.verdict.Approved || rejected && exit.Status != 1 {
				t.Fatal(err)
			}
			if tc.verdict.Approved && (result.Version["approval"] != "abc" || result.Metadata[0] != Field{Name: "approver", Value: "bob"}) {
				t.Errorf("%+v", result)
			}
		})
	}
}

func TestApprovalParams(t *testing.T) {
	t.Parallel()
	for params, bad := range map[string]map[string]any{
		"params.timeout":         {"timeout": "tomorrow"},
		"a year":                 {"timeout": "9000h"},
		"up to a year":           {"timeout": "-1h"},
		"params.approvers":       {"approvers": []any{7}},
		"empty name":             {"approvers": []any{""}},
		"params.reason_required": {"reason_required": "perhaps"},
		"params.aprovers":        {"aprovers": []any{"bob"}},
	} {
		desk := &fakeDesk{}
		_, err := NewApproval(desk).Put(t.Context(), Request{Params: bad, Env: []string{"BUILD_ID=1"}, Log: &strings.Builder{}})
		if err == nil || !strings.Contains(err.Error(), params) || len(desk.asked) != 0 {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := NewApproval(&fakeDesk{}).Put(t.Context(), Request{Log: &strings.Builder{}}); err == nil {
		t.Error("asked outside a build")
	}
	broken := &fakeDesk{err: context.Canceled}
	if _, err := NewApproval(broken).Put(t.Context(), Request{Env: []string{"BUILD_ID=1"}, Log: &strings.Builder{}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	versions, err := NewApproval(broken).Check(t.Context(), Request{Version: Version{"approval": "x"}})
	if err != nil || len(versions) != 1 {
		t.Error(versions, err)
	}
}
