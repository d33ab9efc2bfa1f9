package edge

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/edge/rollout"
)

// fleetSize is ten thousand nodes where there is time for them.
func fleetSize() int {
	if os.Getenv("SIGNALBOX_SOAK") == "1" {
		return 10_000
	}
	return 300
}

// TestManyNodesPauseWhereThePolicySays: three of a hundred fail and ten go silent.
// The rollout stops at its limit and not before, whatever a batch is made of, and
// again after each resumption.
func TestManyNodesPauseWhereThePolicySays(t *testing.T) {
	t.Parallel()
	w := patchingWorld(t)
	size := fleetSize()
	w.enrolled(size)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", fmt.Sprintf("rolloutStrategy: {batchSize: %d, batchDelayMinutes: 5, silentAfter: 1h, pauseOn: {failureRate: 5%%, minSamples: 20, anyExit: []}}", size/5)))
	r := rand.New(rand.NewPCG(1, 1))
	fates := map[string]int{}
	fate := func(node string) int {
		if _, known := fates[node]; !known {
			fates[node] = r.IntN(100)
		}
		return fates[node]
	}
	pauses, longest := 0, time.Duration(0)
	for range 300 {
		for _, node := range w.in(row, rollout.Released) {
			w.says(node, state(protocol.StateInstalling, row))
		}
		w.must(w.writeSaid(t.Context()))
		for i, node := range w.in(row, rollout.Installing) {
			switch f := fate(node); {
			case f < 3:
				w.says(node, state(protocol.StateRolledBack, row, protocol.ExitHealthFailed))
			case f >= 13:
				w.says(node, state(protocol.StateSucceeded, row, protocol.ExitOK))
			}
			if i == size/6 {
				break // some at a time
			}
		}
		begun := time.Now()
		w.tick(5 * time.Minute)
		longest = max(longest, time.Since(begun))
		got := w.now(row)
		if got.State == rollout.Paused {
			pauses++
			known, err := w.threshold(t.Context(), got, got.known(policyOf(policyRow{Body: got.Body}).Parsed).Strategy.PauseOn)
			w.must(err)
			if known.Ended < 20 || known.Failed*100 <= known.Ended*5 || !strings.Contains(got.Reason, "more than 5%") {
				t.Fatalf("it paused at %d of %d: %s", known.Failed, known.Ended, got.Reason)
			}
			_, err = w.ResumeRollout(w.mia(), row.ID, "seen")
			w.must(err)
		}
		if got.State == rollout.Completed {
			break
		}
	}
	got := w.now(row)
	silent, back, good := len(w.in(row, rollout.Silent)), len(w.in(row, rollout.RolledBackItself)), len(w.in(row, rollout.Succeeded))
	t.Logf("%d nodes: %d good, %d rolled back, %d silent, %d pauses, the longest look took %v", size, good, back, silent, pauses, longest)
	if got.State != rollout.Completed || pauses == 0 || silent+back+good != size || silent == 0 || back == 0 {
		t.Errorf("%+v", got)
	}
}

// BenchmarkOrder is what a check-in of a node in a rollout costs beside the rest.
func BenchmarkOrder(b *testing.B) {
	w := patchingWorld(b)
	ids := w.enrolled(2000)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1", `schedule: {maintenanceWindow: "Tue 02:00-04:00", timezone: node}`))
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		l, err := w.live(b.Context(), id)
		w.must(err)
		nodes[i] = l.node
		l.mu.Unlock()
	}
	in := state(protocol.StateStaged, row)
	i := 0
	for b.Loop() {
		if _, err := w.order(b.Context(), nodes[i%len(nodes)], in); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkDrive is one look at a rollout of ten thousand nodes.
func BenchmarkDrive(b *testing.B) {
	w := patchingWorld(b)
	w.enrolled(10_000)
	w.bring("b1", 1, "")
	row := w.begun(policyText("b1"))
	for b.Loop() {
		if err := w.driveOne(b.Context(), row.ID); err != nil {
			b.Fatal(err)
		}
	}
}
