package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
	"github.com/signalbox/signalbox/server/logs/store"
)

// The child of TestKill is this same test binary; this names the folder it writes to.
const childDir = "SIGNALBOX_TEST_LOGS_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

func childOptions(dir string) store.Options {
	return store.Options{Dir: dir, FlushRows: 700, Memory: 64 << 20, Now: func() time.Time { return day.Add(30 * time.Hour) }}
}

// child appends from three senders at once and prints a line's name after it was acknowledged.
func child(dir string) {
	s, err := store.Open(context.Background(), childOptions(dir))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	start, err := strconv.Atoi(os.Getenv(childDir + "_START"))
	if err != nil {
		os.Exit(2)
	}
	var mu sync.Mutex
	var senders sync.WaitGroup
	for sender := range 3 {
		senders.Go(func() {
			for n := start; ; n += 5 {
				recs := make([]record.Record, 5)
				for i := range recs {
					recs[i] = record.Record{Time: day.Add(time.Duration(n+i) * 7 * time.Second % (40 * time.Hour)), Stream: record.Labels{{Name: "sender", Value: strconv.Itoa(sender)}}, Message: fmt.Sprintf("%d-%d", sender, n+i)}
				}
				team := int64(1 + n%2)
				if err := s.Append(context.Background(), team, recs); err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				mu.Lock()
				for i := range recs {
					fmt.Println(recs[i].Message)
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
}

// A store killed at any moment has, when it comes back, every line it acknowledged, once.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 10
	if os.Getenv("SIGNALBOX_SOAK") != "" {
		rounds = 200
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	acknowledged := map[string]bool{}
	for round := range rounds {
		next := round * 1_000_000
		killChild(t, dir, next, time.Duration(20+rng.IntN(150))*time.Millisecond, acknowledged)
		if round%10 == 9 || round == rounds-1 {
			checkKilled(t, dir, acknowledged)
		}
	}
	t.Logf("%d kills, %d lines acknowledged", rounds, len(acknowledged))
}

// killChild runs a child, kills it a moment after its first acknowledged line, and notes what it acknowledged.
func killChild(t *testing.T, dir string, start int, after time.Duration, acknowledged map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDir+"_START="+strconv.Itoa(start))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if kill == nil {
			kill = time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		name := lines.Text()
		if len(name) > 5 && name[:5] == "error" {
			t.Error(name)
			break
		}
		acknowledged[name] = true
	}
	cmd.Process.Kill()
	cmd.Wait() // killed: its error is no news
}

func checkKilled(t *testing.T, dir string, acknowledged map[string]bool) {
	t.Helper()
	s, err := store.Open(context.Background(), childOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found := map[string]bool{}
	for team := range int64(2) {
		rows := s.Search(context.Background(), store.Request{Team: team + 1, Budget: store.Budget{Time: time.Minute, Bytes: 1 << 40, Memory: 1 << 30}})
		for row := range rows.All() {
			if found[row.Message] {
				t.Fatalf("%s came twice", row.Message)
			}
			found[row.Message] = true
		}
		if st := rows.Stats(); rows.Err() != nil || st.Partial != store.Whole {
			t.Fatalf("%+v, %v", st, rows.Err())
		}
	}
	for name := range acknowledged {
		if !found[name] {
			t.Fatalf("%s was acknowledged and is lost (%d of %d found)", name, len(found), len(acknowledged))
		}
	}
	if d := s.Damaged(); len(d) > 0 {
		t.Fatalf("a kill is no damage: %+v", d)
	}
}
