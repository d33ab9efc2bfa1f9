package blobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/blobs"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestQuotaBoundsATeamAndNoOther(t *testing.T) {
	t.Parallel()
	db := databasetest.Open(t)
	disk, err := blobs.NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	s, err := blobs.New(blobs.Deps{DB: db, Backend: disk, Spool: t.TempDir(), Now: func() time.Time { return at }, Quota: 2 << 20})
	if err != nil {
		t.Fatal(err)
	}
	put := func(team int64, letter string, size int) error {
		_, err := s.Put(t.Context(), team, strings.NewReader(strings.Repeat(letter, size)), 10<<20)
		return err
	}
	if err := put(1, "a", 1<<20); err != nil {
		t.Fatal(err)
	}
	err = put(1, "b", 1<<20+1)
	if !problem.Is(err, problem.TooLarge) || !strings.Contains(err.Error(), "take 1 MB of the 2 MB") {
		t.Errorf("%v", err)
	}
	if err := put(1, "c", 1<<20); err != nil {
		t.Error("the quota's last byte is refused", err)
	}
	if err := put(2, "b", 1<<20); err != nil {
		t.Error("another team is refused", err)
	}
	// Nobody owns them: after an hour they are collected, and there is room at once.
	at = at.Add(2 * time.Hour)
	if _, err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := put(1, "d", 2<<20); err != nil {
		t.Error(err)
	}
}
