package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

func start(t *testing.T, db *database.DB, owner string, configure func(*Jobs)) *Jobs {
	t.Helper()
	j := NewJobs(db, owner, time.Now, slog.New(slog.DiscardHandler))
	configure(j)
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Stop(context.WithoutCancel(t.Context())) })
	return j
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing happened within ten seconds")
		panic("unreachable")
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func count(t *testing.T, j *Jobs, s State) int64 {
	t.Helper()
	c, err := j.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c[s]
}

func TestJobRunsOnceCommitted(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	ran := make(chan Job, 8)
	j := start(t, db, "n1", func(j *Jobs) {
		j.Handle("k", Pool{Workers: 2}, func(_ context.Context, job Job) error { ran <- job; return nil })
	})
	rolledBack := errors.New("no")
	if err := db.Tx(t.Context(), func(ctx context.Context) error {
		if _, err := j.Enqueue(ctx, Job{Kind: "k"}); err != nil {
			return err
		}
		return rolledBack
	}); !errors.Is(err, rolledBack) {
		t.Fatal(err)
	}
	if _, err := j.EnqueueValue(t.Context(), Job{Kind: "k", Team: 7}, map[string]int{"n": 1}); err != nil {
		t.Fatal(err)
	}
	got := receive(t, ran)
	if string(got.Payload) != `{"n":1}` || got.Team != 7 || got.Attempt != 1 {
		t.Fatalf("ran %+v", got)
	}
	eventually(t, "the row is gone", func() bool { c, _ := j.Counts(t.Context()); return len(c) == 0 })
	if len(ran) != 0 {
		t.Fatal("the rolled-back job ran")
	}
}

func TestFailingJobIsRetriedThenDeadThenRevived(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	var fail atomic.Bool
	fail.Store(true)
	attempts := make(chan int, 16)
	j := start(t, db, "n1", func(j *Jobs) {
		j.Handle("k", Pool{Workers: 1, MaxAttempts: 3}, func(_ context.Context, job Job) error {
			attempts <- job.Attempt
			if fail.Load() {
				return RetryAfter(time.Millisecond, errors.New("the remote said no"))
			}
			return nil
		})
	})
	j.Enqueue(t.Context(), Job{Kind: "k"})
	for want := 1; want <= 3; want++ {
		if got := receive(t, attempts); got != want {
			t.Fatalf("attempt %d, want %d", got, want)
		}
	}
	eventually(t, "the job is dead", func() bool { return count(t, j, Dead) == 1 })
	dead, err := j.DeadLetters(t.Context(), 0, 10)
	if err != nil || len(dead) != 1 || dead[0].LastError != "the remote said no" {
		t.Fatalf("%v %+v", err, dead)
	}
	fail.Store(false)
	if err := j.Retry(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, attempts); got != 1 {
		t.Fatalf("revived with attempt %d", got)
	}
	if err := j.Discard(t.Context(), dead[0].ID); err == nil {
		t.Fatal("discarded what is not dead")
	}
}

func TestUniqueKeyKeepsOneWaiting(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	j := NewJobs(db, "n1", time.Now, slog.New(slog.DiscardHandler))
	for i, want := range []bool{true, false, false} {
		if got, err := j.Enqueue(t.Context(), Job{Kind: "k", UniqueKey: "u"}); err != nil || got != want {
			t.Fatalf("enqueue %d: %v %v", i, got, err)
		}
	}
	claimed, err := j.store.claim(t.Context(), "k", "n1", time.Minute, 5)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%v %v", claimed, err)
	}
	if got, _ := j.Enqueue(t.Context(), Job{Kind: "k", UniqueKey: "u"}); !got {
		t.Fatal("a follow-up to a running job was refused")
	}
	// The running one fails: the follow-up stands for it.
	if err := j.store.retry(t.Context(), claimed[0].ID, time.Now(), "x"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, j, Waiting); n != 1 {
		t.Fatalf("%d waiting", n)
	}
}

func TestSerialKeyRunsInOrderAndAlone(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	var mu sync.Mutex
	var order []string
	var now, most int
	done := make(chan struct{}, 20)
	j := NewJobs(db, "n1", time.Now, slog.New(slog.DiscardHandler))
	j.Handle("k", Pool{Workers: 8}, func(_ context.Context, job Job) error {
		mu.Lock()
		now++
		most = max(most, now)
		order = append(order, string(job.Payload))
		mu.Unlock()
		<-time.After(time.Millisecond)
		mu.Lock()
		now--
		mu.Unlock()
		done <- struct{}{}
		return nil
	})
	for i := range 10 {
		if _, err := j.EnqueueValue(t.Context(), Job{Kind: "k", SerialKey: "s"}, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Stop(context.WithoutCancel(t.Context())) })
	for range 10 {
		receive(t, done)
	}
	for i, got := range order {
		if got != string(rune('0'+i)) || most != 1 {
			t.Fatalf("order %v, at most %d at once", order, most)
		}
	}
}

func TestJobsOfADeadNodeAreTakenBack(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	former := NewJobs(db, "n1", time.Now, slog.New(slog.DiscardHandler))
	former.Enqueue(t.Context(), Job{Kind: "k"})
	if jobs, err := former.store.claim(t.Context(), "k", "n1", time.Hour, 1); err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	ran := make(chan int, 1)
	start(t, db, "n1", func(j *Jobs) {
		j.Handle("k", Pool{Workers: 1}, func(_ context.Context, job Job) error { ran <- job.Attempt; return nil })
	})
	if got := receive(t, ran); got != 2 {
		t.Fatalf("attempt %d", got)
	}
}

func TestStopDetachesWithoutCountingAnAttempt(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	began := make(chan struct{})
	j := NewJobs(db, "n1", time.Now, slog.New(slog.DiscardHandler))
	j.Handle("k", Pool{Workers: 1}, func(ctx context.Context, _ Job) error {
		close(began)
		<-ctx.Done()
		return context.Cause(ctx)
	})
	j.Enqueue(t.Context(), Job{Kind: "k"})
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	receive(t, began)
	if err := j.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	jobs, err := j.store.claim(t.Context(), "k", "n2", time.Minute, 1)
	if err != nil || len(jobs) != 1 || jobs[0].Attempt != 1 {
		t.Fatalf("%+v %v", jobs, err)
	}
}

// What is let go of while a node stops is not taken up again by the same node.
func TestHeldNodeClaimsNothing(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	runs, release := make(chan struct{}, 8), make(chan struct{})
	j := start(t, db, "node", func(j *Jobs) {
		j.Handle("k", Pool{Workers: 2}, func(context.Context, Job) error {
			runs <- struct{}{}
			<-release
			return ErrDetached
		})
	})
	if _, err := j.Enqueue(t.Context(), Job{Kind: "k"}); err != nil {
		t.Fatal(err)
	}
	receive(t, runs)
	j.Hold()
	close(release)
	if err := j.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var row jobRow
	if err := db.Reader(t.Context()).Take(&row).Error; err != nil || len(runs) > 0 || row.Attempts != 0 || row.LeaseUntil != 0 {
		t.Errorf("ran %d times more; %+v %v", len(runs), row, err)
	}
}

// A node that was too slow to renew a lease does not run the same job a second time beside itself.
func TestLateNodeRunsAJobOnce(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	var ahead atomic.Int64
	runs, release := make(chan int64, 8), make(chan struct{})
	j := NewJobs(db, "node", func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }, slog.New(slog.DiscardHandler))
	j.Handle("k", Pool{Workers: 3}, func(_ context.Context, job Job) error {
		runs <- job.ID
		<-release
		return nil
	})
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Stop(context.WithoutCancel(t.Context())) })
	j.Enqueue(t.Context(), Job{Kind: "k"})
	first := receive(t, runs)
	ahead.Store(int64(2 * lease))
	j.Enqueue(t.Context(), Job{Kind: "k"})
	if second := receive(t, runs); second == first {
		t.Error("the same job runs twice at once")
	}
	var until int64
	eventually(t, "its lease to be renewed", func() bool {
		return db.Reader(t.Context()).Raw("SELECT lease_until FROM work_jobs WHERE id = ?", first).Scan(&until).Error == nil && until > j.store.now().UnixMilli()
	})
	close(release)
	eventually(t, "both to end", func() bool { return count(t, j, Running) == 0 })
	if len(runs) != 0 {
		t.Error("one ran again")
	}
}

func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	j := start(t, db, "n1", func(j *Jobs) {
		j.Handle("k", Pool{Workers: 1, MaxAttempts: 1}, func(context.Context, Job) error { panic("bad row") })
	})
	j.Enqueue(t.Context(), Job{Kind: "k"})
	eventually(t, "the job is dead", func() bool { return count(t, j, Dead) == 1 })
}

func TestDelayGrowsAndStaysBounded(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: longest, 50: longest} {
		if got := delay(attempt); got < want*8/10 || got > want*12/10 {
			t.Errorf("delay(%d) = %v, want about %v", attempt, got, want)
		}
	}
}

func TestLoopRunsOnWakeAndReportsErrors(t *testing.T) {
	t.Parallel()
	wake := make(chan struct{})
	ran := make(chan struct{}, 8)
	l := NewLoops(time.Now, slog.New(slog.DiscardHandler))
	l.Start(t.Context(), Loop{Name: "a", Every: time.Hour, Wake: wake, Run: func(context.Context) error { ran <- struct{}{}; return errors.New("broken") }})
	defer l.Stop()
	receive(t, ran)
	wake <- struct{}{}
	receive(t, ran)
	eventually(t, "the status tells", func() bool { s := l.Status(); return len(s) == 1 && s[0].Runs == 2 && s[0].Error == "broken" })
}
