package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type bundle struct {
	*Store
	db    *database.DB
	now   time.Time
	audit []string
	keys  []key
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{db: databasetest.Open(t), now: time.UnixMilli(1_800_000_000_000), keys: []key{newKey()}}
	for _, name := range []string{"main", "other"} {
		if err := b.db.Writer(t.Context()).Exec("INSERT INTO accounts_teams (name, created_at) VALUES (?, 0)", name).Error; err != nil {
			t.Fatal(err)
		}
	}
	b.Store = New(Deps{DB: b.db, Box: newBox(b.keys), Now: func() time.Time { return b.now },
		Audit: func(_ context.Context, team int64, action, object, detail string) error {
			b.audit = append(b.audit, strings.TrimSpace(strings.Join([]string{action, object, detail}, " ")))
			return nil
		}})
	return b
}

func as(ctx context.Context, role identity.Role) context.Context {
	return identity.With(ctx, identity.Caller{UserID: 1, Name: "ada", Roles: map[int64]identity.Role{1: role}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}})
}

func (b *bundle) set(t *testing.T, team int64, pipeline, name string, value any) {
	t.Helper()
	if err := b.Set(as(t.Context(), identity.Member), team, pipeline, name, value); err != nil {
		t.Fatal(err)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 1, "", "token", "of the team")
	b.set(t, 1, "web", "token", "of the pipeline")
	b.set(t, 1, "", "db", map[string]any{"user": "u", "port": 5432, "hosts": []string{"a", "b"}})
	b.set(t, 2, "", "token", "of another team")
	for _, c := range []struct {
		team           int64
		pipeline, name string
		want           any
		found          bool
	}{
		{1, "", "token", "of the team", true}, {1, "web", "token", "of the pipeline", true}, {1, "api", "token", "of the team", true},
		{1, "web", "db", map[string]any{"user": "u", "port": 5432.0, "hosts": []any{"a", "b"}}, true}, {2, "web", "token", "of another team", true},
		{2, "", "db", nil, false}, {1, "", "nothing", nil, false}, {3, "", "token", nil, false},
	} {
		got, found, err := b.Lookup(t.Context(), c.team, c.pipeline, c.name, Use{})
		if err != nil || found != c.found || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d %q %q: %v %v %v", c.team, c.pipeline, c.name, got, found, err)
		}
	}
	b.set(t, 1, "", "token", "changed")
	if got, _, _ := b.Lookup(t.Context(), 1, "", "token", Use{}); got != "changed" {
		t.Errorf("after a change: %v", got)
	}
	if err := b.Delete(t.Context(), 1, "web", "token"); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := b.Lookup(t.Context(), 1, "web", "token", Use{}); got != "changed" {
		t.Errorf("after deleting the pipeline's: %v", got)
	}
	if err := b.Delete(t.Context(), 1, "web", "token"); !problem.Is(err, problem.NotFound) {
		t.Errorf("deleting twice: %v", err)
	}
	want := "secret.create token|secret.create token pipeline web|secret.create db|secret.create token|secret.update token|secret.delete token pipeline web"
	if got := strings.Join(b.audit, "|"); got != want {
		t.Errorf("audit: %s", got)
	}
}

func TestRowsAreBound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 1, "", "mine", "value")
	b.set(t, 2, "", "theirs", "value of theirs")
	if err := b.db.Writer(t.Context()).Exec("UPDATE secrets_values SET sealed = (SELECT sealed FROM secrets_values WHERE team_id = 2) WHERE team_id = 1").Error; err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.Lookup(t.Context(), 1, "", "mine", Use{}); err == nil {
		t.Errorf("a moved value opens: %v", got)
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, name := range []string{"", "-x", "a.b", "a:b", "a b", "ü", strings.Repeat("x", 201), "a\n"} {
		if err := b.Set(t.Context(), 1, "", name, "v"); !problem.Is(err, problem.Invalid) {
			t.Errorf("name %.20q: %v", name, err)
		}
	}
	for _, value := range []any{nil, strings.Repeat("x", MaxValue), make(chan int)} {
		if err := b.Set(t.Context(), 1, "", "n", value); !problem.Is(err, problem.Invalid) {
			t.Errorf("a value of type %T: %v", value, err)
		}
	}
}

func TestLastUsed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 1, "", "a", "1")
	used := func() int64 {
		t.Helper()
		if err := b.FlushUsed(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := b.List(t.Context(), 1, "")
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return int64(list[0].LastUsedAt)
	}
	if got := used(); got != 0 {
		t.Errorf("unused: %d", got)
	}
	look := func() int64 { _, _, _ = b.Lookup(t.Context(), 1, "", "a", Use{}); return used() }
	first := b.now.UnixMilli()
	if got := look(); got != first {
		t.Errorf("used: %d", got)
	}
	b.now = b.now.Add(usedPrecision / 2)
	if got := look(); got != first {
		t.Errorf("within the minute: %d", got)
	}
	b.now = b.now.Add(usedPrecision)
	if got := look(); got != b.now.UnixMilli() {
		t.Errorf("after it: %d", got)
	}
}

func TestUseAndVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 1, "", "a", "1")
	b.set(t, 1, "", "never", "1")
	b.set(t, 1, "", "a", "2")
	build, check := Use{Pipeline: "web", Job: "unit", Number: "4", Build: 17}, Use{Pipeline: "web"}
	for _, by := range []Use{build, check} {
		b.now = b.now.Add(2 * usedPrecision)
		if _, found, err := b.Lookup(t.Context(), 1, "web", "a", by); err != nil || !found {
			t.Fatal(found, err)
		}
		if err := b.FlushUsed(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := b.List(t.Context(), 1, "")
		if err != nil || len(list) != 2 || list[0].Version != 2 || list[0].LastUsedBy == nil || *list[0].LastUsedBy != by {
			t.Errorf("%+v %v", list, err)
		}
		if list[1].Version != 1 || list[1].LastUsedBy != nil {
			t.Errorf("never used: %+v", list[1])
		}
	}
}

func TestReseal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 1, "p", "a", "1")
	b.set(t, 1, "", "b-quoted", "2")
	unreadable := func(box *Box, want int) {
		t.Helper()
		if n, err := Unreadable(t.Context(), b.db, box, Columns()); n != want || err != nil {
			t.Errorf("%d unreadable, want %d: %v", n, want, err)
		}
	}
	unreadable(newBox([]key{newKey()}), 2)
	newest := newKey()
	b.deps.Box = newBox(append(b.keys, newest))
	for _, want := range []int{2, 0} {
		if n, err := Reseal(t.Context(), b.db, b.deps.Box, Columns()); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
	b.deps.Box = newBox([]key{newest})
	if got, _, err := b.Lookup(t.Context(), 1, "p", "a", Use{}); got != "1" || err != nil {
		t.Errorf("with only the new key: %v %v", got, err)
	}
	unreadable(b.deps.Box, 0)
}

// TestResealGoesOn: what does not open is told of and left, and the rest is done.
func TestResealGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 2*batch + 5 {
		b.set(t, 1, "", "s"+strconv.Itoa(i), i)
	}
	if err := b.db.Writer(t.Context()).Exec("UPDATE secrets_values SET sealed = (SELECT sealed FROM secrets_values WHERE name = 's1') WHERE name = 's0'").Error; err != nil {
		t.Fatal(err)
	}
	b.deps.Box = newBox(append(b.keys, newKey()))
	n, err := Reseal(t.Context(), b.db, b.deps.Box, Columns())
	if n != 2*batch+4 || !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), `1/""/"s0"`) {
		t.Errorf("%d %v", n, err)
	}
	if err := b.FollowKeyFile(t.Context()); !errors.Is(err, ErrSealed) {
		t.Errorf("the loop is silent: %v", err)
	}
}

// TestKeyAddedWhileRunning: another process adds a key and seals with it; a running server
// opens that at once, and its loop seals what it had sealed itself meanwhile.
func TestKeyAddedWhileRunning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	path := filepath.Join(t.TempDir(), "secrets.key")
	box, _, err := OpenBox(path)
	if err != nil {
		t.Fatal(err)
	}
	b.deps.Box = box
	b.set(t, 1, "", "a", "old")
	if err := b.FollowKeyFile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := AddKey(path); err != nil {
		t.Fatal(err)
	}
	other, _, err := OpenBox(path)
	if err != nil {
		t.Fatal(err)
	}
	b.set(t, 1, "", "meanwhile", "old key")
	if err := New(Deps{DB: b.db, Box: other, Now: b.deps.Now}).Set(t.Context(), 1, "", "b", "new"); err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.Lookup(t.Context(), 1, "", "b", Use{}); got != "new" || err != nil {
		t.Errorf("%v %v", got, err)
	}
	if err := b.FollowKeyFile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stale, err := staleValues(t.Context(), b.db, Columns()[0], other.stamp()); len(stale) != 0 || err != nil {
		t.Errorf("%d values have the old key: %v", len(stale), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := b.FollowKeyFile(t.Context()); err == nil {
		t.Error("a lost key file is not told of")
	}
	if got, _, err := b.Lookup(t.Context(), 1, "", "a", Use{}); got != "old" || err != nil {
		t.Errorf("without the file: %v %v", got, err)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.set(t, 2, "", "foreign", "v")
	gin.SetMode(gin.TestMode)
	for _, c := range []struct {
		name, method, path, body string
		role                     identity.Role
		status                   int
		contains                 string
	}{
		{"empty", "GET", "?team=main", "", identity.Viewer, 200, `{"items":[]}`},
		{"create", "PUT", "", `{"team":"main","name":"a","value":"s3cret"}`, identity.Member, 204, ""},
		{"create structured", "PUT", "", `{"team":"main","pipeline":"web","name":"b","value":{"k":"v"}}`, identity.Member, 204, ""},
		{"list", "GET", "?team=main", "", identity.Viewer, 200, `{"name":"a","pipeline":"","updated_at":"2027-01-15T08:00:00Z","updated_by":"ada","version":1}`},
		{"list of a pipeline", "GET", "?team=main&pipeline=web", "", identity.Viewer, 200, `"name":"b"`},
		{"viewer may not", "PUT", "", `{"team":"main","name":"a","value":"x"}`, identity.Viewer, 403, "ci:write"},
		{"operator may not", "DELETE", "?team=main&name=a", "", identity.Operator, 403, ""},
		{"strange team", "PUT", "", `{"team":"other","name":"a","value":"x"}`, identity.Member, 404, ""},
		{"list of a strange team", "GET", "?team=other", "", identity.Owner, 404, ""},
		{"no team", "GET", "", "", identity.Owner, 404, ""},
		{"no value", "PUT", "", `{"team":"main","name":"a"}`, identity.Member, 400, "value"},
		{"bad name", "PUT", "", `{"team":"main","name":"a.b","value":"x"}`, identity.Member, 400, `"field":"name"`},
		{"unknown field", "PUT", "", `{"team":"main","name":"a","valu":"x"}`, identity.Member, 400, "valu"},
		{"delete", "DELETE", "?team=main&name=a", "", identity.Member, 204, ""},
		{"delete again", "DELETE", "?team=main&name=a", "", identity.Member, 404, ""},
	} {
		engine := gin.New()
		engine.Use(func(g *gin.Context) { g.Request = g.Request.WithContext(as(g.Request.Context(), c.role)) })
		b.Routes(api.NewRouter(engine, &api.Table{}).Group("/api/v1"))
		request := httptest.NewRequest(c.method, "/api/v1/ci/secrets"+c.path, strings.NewReader(c.body))
		request.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, request)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%s shows the value", c.name)
		}
		if c.status == http.StatusOK && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %s", c.name, w.Body)
		}
	}
}
