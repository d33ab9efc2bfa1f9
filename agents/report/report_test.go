package report

import (
	"os"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/agents/protocol"
)

func open(t *testing.T, dir string) *Queue {
	t.Helper()
	q, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func add(t *testing.T, q *Queue, r protocol.Report) int64 {
	t.Helper()
	seq, err := q.Append(r)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func TestNumbersGrowAcrossRestarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir)
	for want := range int64(3) {
		if seq := add(t, q, protocol.Report{State: protocol.StateStaging, Message: strings.Repeat("é", protocol.MaxText)}); seq != want+1 {
			t.Errorf("seq %d", seq)
		}
	}
	if err := q.Acked(3); err != nil {
		t.Fatal(err)
	}
	q = open(t, dir)
	if q.Len() != 0 || add(t, q, protocol.Report{State: protocol.StateStaged}) != 4 {
		t.Error("a number was given twice")
	}
	got := open(t, dir).First(0, 10)
	if len(got) != 1 || got[0].Seq != 4 || got[0].State != protocol.StateStaged {
		t.Errorf("%+v", got)
	}
}

func TestAckedAndFirst(t *testing.T) {
	t.Parallel()
	q := open(t, t.TempDir())
	for range 5 {
		add(t, q, protocol.Report{State: protocol.StateStaging})
	}
	if err := q.Acked(0); err != nil || q.Len() != 5 {
		t.Errorf("%v, %d left", err, q.Len())
	}
	if err := q.Acked(2); err != nil || q.Len() != 3 {
		t.Errorf("%v, %d left", err, q.Len())
	}
	if got := q.First(3, 1); len(got) != 1 || got[0].Seq != 4 {
		t.Errorf("%+v", got)
	}
	if err := q.Acked(99); err != nil || q.Len() != 0 {
		t.Errorf("%v, %d left", err, q.Len())
	}
}

func TestFullQueueKeepsTheEnds(t *testing.T) {
	t.Parallel()
	q := open(t, t.TempDir())
	exit := protocol.ExitInstallFailed
	first := add(t, q, protocol.Report{State: protocol.StateFailed, Exit: &exit})
	q.seqs = append(q.seqs, make([]int64, Most-1)...)
	for i := range Most - 1 {
		q.seqs[i+1] = int64(i + 2)
	}
	q.state.Last = Most
	add(t, q, protocol.Report{State: protocol.StateStaging})
	if q.Len() != Most || q.seqs[0] != first || q.seqs[1] != 3 {
		t.Errorf("%d kept, from %v", q.Len(), q.seqs[:2])
	}
}

func TestTakeOverOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir)
	for _, seq := range []int64{1, 2, 1, 2} {
		if err := q.TakeOver(protocol.Report{Seq: seq, State: protocol.StateInstalling}); err != nil {
			t.Fatal(err)
		}
	}
	q = open(t, dir)
	if err := q.TakeOver(protocol.Report{Seq: 2}); err != nil || q.Len() != 2 {
		t.Errorf("%v, %d kept", err, q.Len())
	}
}

func TestDamagedReportIsLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir)
	add(t, q, protocol.Report{State: protocol.StateStaging})
	add(t, q, protocol.Report{State: protocol.StateStaged})
	if err := os.WriteFile(q.path(1), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := q.First(0, 10); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("%+v", got)
	}
	if err := q.Acked(2); err != nil || q.Len() != 0 {
		t.Error(err)
	}
}
