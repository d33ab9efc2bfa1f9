package app_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/signalbox/signalbox/server/app"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// unsealed are the columns of bytes that hold nothing sealed: what arrives and is stored
// as it came, and documents that are compressed.
var unsealed = []string{"github_deliveries.body", "ci_test_others.data", "issues_rejected.payload", "issues_events.body", "edge_sets.body"}

// TestEverySealedColumnIsRegistered walks the schema: a column of bytes is either sealed,
// and then a new key must reach it, or it is named above.
func TestEverySealedColumnIsRegistered(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "schema.db") // both dialects have the same columns, as another test says
	db, err := database.Open(t.Context(), path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var found []string
	err = db.Reader(t.Context()).Raw(`SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'BLOB' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT IN (SELECT v.name || s.tail FROM sqlite_master v, (SELECT '_data' tail UNION SELECT '_idx' UNION SELECT '_docsize' UNION SELECT '_content' UNION SELECT '_config') s WHERE v.sql LIKE 'CREATE VIRTUAL%')`).Scan(&found).Error
	if err != nil {
		t.Fatal(err)
	}
	registered := slices.Clone(unsealed)
	for _, c := range app.SealedColumns() {
		registered = append(registered, c.Table+"."+c.Name)
	}
	for _, name := range found {
		if !slices.Contains(registered, name) {
			t.Errorf("%s holds bytes: register it in SealedColumns of its package, or say in this test that it is not sealed", name)
		}
	}
	for _, name := range registered {
		if !slices.Contains(found, name) {
			t.Errorf("%s is registered and not in the schema", name)
		}
	}
}

const sealingPipeline = `
var_sources:
- {name: rsa, type: idtoken, config: {audience: [a]}}
signalbox: {jobs: {j: {inputs: [{name: token, type: secret, required: true}]}}}
jobs:
- name: j
  plan:
  - task: use
    config: {platform: linux, params: {A: ((rsa:token)), B: ((hush)), C: ((input:token))},
      run: {path: sh, args: [-ec, 'test -n "$A"; test "$B" = kept-quiet; test "$C" = typed-in; echo done']}}
`

// TestKeyRotation: everything that is sealed anywhere is there after the key was rotated
// beside a running server, after the old key is gone, and a restart.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	p := launch(t)
	keyFile := filepath.Join(p.dir, "data", "secrets.key")
	p.call(t, "PUT", "/api/v1/ci/secrets", map[string]any{"team": "main", "name": "hush", "value": "kept-quiet"}, nil)
	p.call(t, "POST", "/api/v1/ci/channels", map[string]any{"team": "main", "kind": "webhook", "name": "bus", "url": "http://127.0.0.1:9/", "events": []string{"build.failed"}}, nil)
	var connection struct{ ID string }
	p.call(t, "POST", "/api/v1/ci/connections", map[string]any{"team": "main", "name": "GitHub", "api_url": "http://127.0.0.1:9/", "token": "t"}, &connection)
	old := p.hook(t, "main", "")
	var h hook
	p.call(t, "POST", "/api/v1/ci/hooks/"+old.ID+"/rotate", nil, &h)
	id := p.pipeline(t, "main", "p", sealingPipeline)
	run := func() {
		t.Helper()
		var graph struct{ Jobs []struct{ ID int64 } }
		p.call(t, "GET", fmt.Sprintf("/api/v1/ci/pipelines/%d/graph", id), nil, &graph)
		var b build
		p.call(t, "POST", fmt.Sprintf("/api/v1/ci/jobs/%d/trigger", graph.Jobs[0].ID), map[string]any{"inputs": map[string]any{"token": "typed-in"}}, &b)
		if ended := p.finish(t, b.ID); ended.Status != "succeeded" {
			t.Errorf("%+v\n%s", ended, p.log(t, b.ID))
		}
	}
	delivered := func() {
		t.Helper()
		for _, h := range []hook{h, {ID: h.ID, Secret: old.Secret}} {
			if status := p.deliver(t, h, newGUID(), []byte(`{"ref":"refs/heads/main"}`)); status != http.StatusAccepted {
				t.Errorf("a delivery is answered %d", status)
			}
		}
	}
	run()
	delivered()
	db, err := database.Open(t.Context(), p.databaseURL(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p.publishBundle(t, "main", "a package") // signed with this server's timestamp key
	p.sealForGitHub(t, db, keyFile, connection.ID)
	sealForAssistant(t, db, keyFile)
	filled := 0
	for _, c := range app.SealedColumns() {
		var n int
		if err := db.Reader(t.Context()).Raw("SELECT COUNT(*) FROM " + c.Table + " WHERE " + c.Name + " IS NOT NULL").Scan(&n).Error; err != nil || n == 0 {
			t.Errorf("nothing is in %s.%s: this test must put something there (%v)", c.Table, c.Name, err)
		}
		filled += n
	}

	out := p.command(t, "secrets", "rotate")
	if !strings.Contains(out, fmt.Sprintf("which %d secrets were encrypted with", filled)) {
		t.Errorf("%d values, and the command says %s", filled, out)
	}
	run() // the server has not been told
	delivered()
	p.end(syscall.SIGKILL)
	p.start() // seals what was sealed with the old key after the command had run
	newest, only := onlyNewest(t, keyFile)
	eventually(t, "everything to have the new key", func() bool {
		n, err := secrets.Unreadable(t.Context(), db, only, app.SealedColumns())
		return n == 0 && err == nil
	})
	p.end(syscall.SIGTERM)
	if err := os.WriteFile(keyFile, newest, 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	run()
	delivered()
	var list struct {
		Items []struct {
			Name       string
			Version    int64
			LastUsedBy struct {
				Pipeline, Job, Number string
				Build                 int64
			} `json:"last_used_by"`
		}
	}
	eventually(t, "the use of the secret to be written down", func() bool {
		p.call(t, "GET", "/api/v1/ci/secrets?team=main", nil, &list)
		return list.Items[0].LastUsedBy.Build != 0
	})
	if by := list.Items[0].LastUsedBy; list.Items[0].Version != 1 || by.Pipeline != "p" || by.Job != "j" || by.Number == "" {
		t.Errorf("%+v", list)
	}
}

// sealForGitHub stands for an App, which takes a person to make, and for the farewell of a
// team's connection, which takes a hook at GitHub.
func (p *process) sealForGitHub(t *testing.T, db *database.DB, keyFile, connection string) {
	t.Helper()
	box, _, err := secrets.OpenBox(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	sealed := box.Seal("github_connections", connection+"/key", []byte("key"))
	if err := db.Writer(t.Context()).Exec("UPDATE github_connections SET app_key = ? WHERE id = ?", sealed, connection).Error; err != nil {
		t.Fatal(err)
	}
	err = db.Writer(t.Context()).Exec(`INSERT INTO github_farewells (connection_id, api_url, connection_kind, token, app_key, kind, owner, repo, github_id, url, created_at)
		SELECT id, api_url, kind, token, app_key, 'repository', 'acme', 'shop', 1, '', 0 FROM github_connections`).Error
	if err != nil {
		t.Fatal(err)
	}
}

// sealForAssistant puts tokens of Slack and of an outside MCP server there.
func sealForAssistant(t *testing.T, db *database.DB, keyFile string) {
	t.Helper()
	box, _, err := secrets.OpenBox(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	slack := func(column string) []byte { return box.Seal("assistant_slack", column, []byte("token")) }
	err = errors.Join(
		db.Writer(t.Context()).Exec(`INSERT INTO assistant_slack (id, mode, bot_token, app_token, signing_secret, workspace, workspace_name, workspace_url, bot_user, updated_at, updated_by)
			VALUES (1, 'http', ?, ?, ?, 'T1', 'Acme', 'http://127.0.0.1:9/', 'U1', 0, 'admin')`, slack("bot_token"), slack("app_token"), slack("signing_secret")).Error,
		db.Writer(t.Context()).Exec(`INSERT INTO assistant_servers (id, team_id, name, kind, command, url, secret_names, secrets, inside, github, enabled, timeout_ms, created_at, updated_at, updated_by)
			SELECT 'srv', MIN(id), 'outside', 'http', '[]', 'http://127.0.0.1:9/', '["Authorization"]', ?, FALSE, FALSE, FALSE, 1000, 0, 0, 'admin' FROM accounts_teams`, box.Seal("assistant_servers", "srv", []byte("{}"))).Error)
	if err != nil {
		t.Fatal(err)
	}
}

// databaseURL is where the program keeps its state, also when nothing was said.
func (p *process) databaseURL() string {
	if p.database != "" {
		return p.database
	}
	return filepath.Join(p.dir, "data", "signalbox.db")
}

// command runs the program beside the server, on the same data.
func (p *process) command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), append(args, "--data-dir", filepath.Join(p.dir, "data"))...)
	cmd.Env = append(os.Environ(), "SIGNALBOX_DATABASE_URL="+p.database)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v %s", args, err, out)
	}
	return string(out)
}

// onlyNewest is a key file with all keys but the last one gone, and what it opens.
func onlyNewest(t *testing.T, path string) ([]byte, *secrets.Box) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	newest, beside := []byte(lines[len(lines)-1]+"\n"), filepath.Join(t.TempDir(), "newest.key")
	if err := os.WriteFile(beside, newest, 0o600); err != nil {
		t.Fatal(err)
	}
	box, _, err := secrets.OpenBox(beside)
	if err != nil {
		t.Fatal(err)
	}
	return newest, box
}
