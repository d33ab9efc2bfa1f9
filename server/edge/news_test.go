package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/platform/work"
)

// TestNewsOfNodes: what happens to several nodes of a team at about the same time is
// told once, with all their names.
func TestNewsOfNodes(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	var told []NodeNews
	w.OnNodeNews = func(_ context.Context, n NodeNews) error {
		told = append(told, n)
		return nil
	}
	ids := w.enrolled(3)
	idle := protocol.CheckIn{State: protocol.StateIdle}
	for _, id := range ids {
		w.says(id, idle)
	}
	tell := func() {
		t.Helper()
		w.must(w.flush(t.Context()))
		w.clock.advance(6 * time.Minute)
		var jobs []struct {
			ID      int64
			TeamID  int64
			Payload string
		}
		w.must(w.db.Reader(t.Context()).Raw("SELECT id, team_id, payload FROM work_jobs WHERE kind = ?", newsJob).Scan(&jobs).Error)
		for _, j := range jobs {
			w.must(w.runNews(t.Context(), work.Job{Team: j.TeamID, Payload: json.RawMessage(j.Payload)}))
		}
		w.must(w.db.Writer(t.Context()).Exec("DELETE FROM work_jobs").Error)
	}
	tell()
	if len(told) != 0 {
		t.Fatalf("nothing happened: %+v", told)
	}
	w.clock.advance(25 * time.Hour)
	w.must(w.findLost(t.Context()))
	w.must(w.findLost(t.Context()))
	tell()
	for _, id := range ids[:2] {
		w.says(id, idle)
		w.must(w.flush(t.Context()))
	}
	tell()
	l, err := w.live(t.Context(), ids[0])
	w.must(err)
	w.doubled(l)
	l.mu.Unlock()
	tell()
	got := ""
	for _, n := range told {
		got += fmt.Sprint(n.Team, " ", n.Kind, ":")
		for _, node := range n.Nodes {
			got += " " + node.Name + "@" + node.Site
		}
		got += "\n"
	}
	want := "1 lost: till-00000@store-0 till-00001@store-0 till-00002@store-0\n1 returned: till-00000@store-0 till-00001@store-0\n1 doubled: till-00000@store-0\n"
	if got != want {
		t.Errorf("told\n%swant\n%s", got, want)
	}
	if err := w.runNews(t.Context(), work.Job{Payload: json.RawMessage("{")}); err == nil {
		t.Error("a payload that is none was taken")
	}
}
