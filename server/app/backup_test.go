package app_test

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/app"
	"github.com/signalbox/signalbox/server/platform/config"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
)

// command runs one command of the program and returns what it said.
func command(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if got := app.Main(t.Context(), args, &out, &out); got != code {
		t.Fatalf("%q: exit %d: %s", args, got, out.String())
	}
	return out.String()
}

// TestBackupOfARunningServer saves a server that works, restores it elsewhere, and asks the
// restored one. It runs alone: what commands know of the database they know from the environment.
func TestBackupOfARunningServer(t *testing.T) {
	r := start(t)
	r.call(t, "POST", "/api/v1/accounts/users", map[string]any{"name": "ann", "password": adminPassword}, nil)
	data, back := filepath.Join(r.dir, "data"), filepath.Join(t.TempDir(), "data")
	t.Setenv("SIGNALBOX_DATABASE_URL", r.databaseURL)
	archive := filepath.Join(t.TempDir(), "one.sbx")
	if said := command(t, 0, "backup", "--output", archive, "--data-dir", data); !strings.Contains(said, archive) || !strings.Contains(said, "secrets.key apart") {
		t.Error(said)
	}
	if said := command(t, 0, "backup", "rehearse", archive, "--data-dir", data); !strings.Contains(said, "RTO ") || !strings.Contains(said, "none damaged") {
		t.Error(said)
	}
	if said := command(t, 0, "secrets", "rotate", "--data-dir", data); !strings.Contains(said, "has a new key") {
		t.Error(said)
	}
	var log struct {
		Items []struct{ Action, Actor, Object string }
	}
	r.call(t, "GET", "/api/v1/accounts/audit?q=secrets.rotate", nil, &log)
	if len(log.Items) != 1 || log.Items[0].Actor != "command line" {
		t.Errorf("%+v", log)
	}
	address := filepath.Join(back, "signalbox.db")
	if strings.HasPrefix(r.databaseURL, "postgres") {
		address = databasetest.EmptyURL(t)
	}
	t.Setenv("SIGNALBOX_DATABASE_URL", address)
	if said := command(t, 1, "restore", archive, "--data-dir", back); !strings.Contains(said, "put the key file") {
		t.Error(said)
	}
	key, err := os.ReadFile(filepath.Join(data, "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(back, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(back, "secrets.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := command(t, 0, "restore", "--input", archive, "--data-dir", back); !strings.Contains(said, "restored the state of") {
		t.Error(said)
	}
	if said := command(t, 0, "user", "list", "--data-dir", back); !strings.Contains(said, "ann") {
		t.Error(said)
	}
	second := startIn(t, filepath.Dir(back), address)
	second.grant(t, "ann", adminPassword)
}

// TestKilledBackupLeavesNothingThatLooksWhole kills the command at several moments.
func TestKilledBackupLeavesNothingThatLooksWhole(t *testing.T) {
	if os.Getenv("TEST_POSTGRES_URL") != "" {
		return // the archive's file is made alike
	}
	dir := filepath.Join(t.TempDir(), "data")
	command(t, 0, "user", "create", "--name", "ann", "--data-dir", dir)
	cfg, err := config.Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg.Secrets.KeyFile, []byte(strings.Repeat("ab", 8)+" "+strings.Repeat("cd", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "ci", "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	// What does not compress grows the archive step by step.
	noise := make([]byte, 200<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	if err := os.WriteFile(filepath.Join(dir, "ci", "logs", "1.log"), noise, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "one.sbx")
	cmd := exec.CommandContext(t.Context(), binary(t), "backup", "--output", out, "--data-dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the archive to grow", func() bool {
		info, err := os.Stat(out + ".partial")
		return err == nil && info.Size() > 0
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if _, err := os.Stat(out); err == nil {
		command(t, 0, "backup", "verify", out, "--data-dir", dir) // it was faster than the kill
		return
	}
	if said := command(t, 1, "backup", "verify", out+".partial", "--data-dir", dir); !strings.Contains(said, "cut off") && !strings.Contains(said, "does not end") && !strings.Contains(said, "no archive") {
		t.Error(said)
	}
}

// TestUpgradeOfAnEarlierSchema lets the program bring a database of the first releases up to
// date: it saves it before, keeps its rows, and the copy can be restored.
func TestUpgradeOfAnEarlierSchema(t *testing.T) {
	const earlier = 20
	dir := filepath.Join(t.TempDir(), "data")
	address := filepath.Join(dir, "signalbox.db")
	if os.Getenv("TEST_POSTGRES_URL") != "" {
		address = databasetest.EmptyURL(t)
	}
	db, err := database.Open(t.Context(), address, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.MigrateTo(t.Context(), earlier); err != nil {
		t.Fatal(err)
	}
	dump, err := os.ReadFile(filepath.Join("testdata", "upgrade", "rows_0020.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(dump), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if err := db.Writer(t.Context()).Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SIGNALBOX_DATABASE_URL", address)
	if said := command(t, 0, "migrate", "--plan", "--data-dir", dir); !strings.Contains(said, "the schema is at 20") || !strings.Contains(said, "would apply 0021_issues_events.sql") {
		t.Error(said)
	}
	if said := command(t, 0, "migrate", "--data-dir", dir); !strings.Contains(said, "applied 0021_issues_events.sql") {
		t.Error(said)
	}
	if said := command(t, 0, "migrate", "--plan", "--data-dir", dir); !strings.Contains(said, "nothing to apply") {
		t.Error(said)
	}
	if said := command(t, 0, "user", "list", "--data-dir", dir); !strings.Contains(said, "ann") {
		t.Error(said)
	}
	said := command(t, 0, "backup", "list", "--data-dir", dir)
	if !strings.Contains(said, "whole  migration") {
		t.Fatal(said)
	}
	saved := said[strings.LastIndex(said, "  ")+2 : len(said)-1]
	if said := command(t, 0, "backup", "rehearse", saved, "--data-dir", dir); !strings.Contains(said, "migrations were applied to it") {
		t.Error(said)
	}
	r := startIn(t, filepath.Dir(dir), address)
	var teams struct{ Items []struct{ Name string } }
	r.call(t, "GET", "/api/v1/accounts/teams", nil, &teams)
	if len(teams.Items) != 2 {
		t.Errorf("%+v", teams)
	}
}

// TestDoctor finds what is wrong and says how to mend it.
func TestDoctor(t *testing.T) {
	r := start(t)
	t.Setenv("SIGNALBOX_DATABASE_URL", r.databaseURL)
	t.Setenv("SIGNALBOX_SERVER_PUBLIC_URL", r.URL())
	said := command(t, 0, "doctor", "--data-dir", filepath.Join(r.dir, "data"))
	for _, name := range []string{"database", "schema", "disk", "clock", "key file", "public address", "webhooks", "mail", "Slack", "task isolation", "backups", "jobs", "servers"} {
		if !strings.Contains(said, "  "+name+" ") {
			t.Errorf("no check of %s: %s", name, said)
		}
	}
	if !strings.Contains(said, "look    backups") || !strings.Contains(said, "> Make one on the page") {
		t.Error(said)
	}
	t.Setenv("SIGNALBOX_SERVER_PUBLIC_URL", "http://127.0.0.1:1")
	if said := command(t, 1, "doctor", "--data-dir", filepath.Join(r.dir, "data")); !strings.Contains(said, "BROKEN  webhooks") || !strings.Contains(said, "1 of 13 checks found something broken") {
		t.Error(said)
	}
	t.Setenv("SIGNALBOX_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
	if said := command(t, 1, "doctor", "--data-dir", filepath.Join(r.dir, "data")); !strings.Contains(said, "BROKEN  database") {
		t.Error(said)
	}
	// Of a running server the page says the same, and what only a running one knows.
	var health struct {
		Checks []struct{ Name, Status string }
	}
	r.call(t, "GET", "/api/v1/system/health", nil, &health)
	if len(health.Checks) != 15 {
		t.Errorf("%+v", health)
	}
}
