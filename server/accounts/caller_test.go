package accounts

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestCacheForgetsWhatChanged(t *testing.T) {
	t.Parallel()
	c := newCallerCache(newClock().now)
	_, before, _ := c.get("h")
	c.clear()
	c.put("h", principal{csrf: "old"}, before)
	if _, _, ok := c.get("h"); ok {
		t.Fatal("what was loaded before the change was kept")
	}
	_, now, _ := c.get("h")
	c.put("h", principal{csrf: "new"}, now)
	if p, _, ok := c.get("h"); !ok || p.csrf != "new" {
		t.Fatal(p, ok)
	}
}

func TestCacheEntriesEnd(t *testing.T) {
	t.Parallel()
	clock := newClock()
	c := newCallerCache(clock.now)
	c.put("short", principal{expires: clock.now().Add(time.Second)}, 0)
	c.put("long", principal{}, 0)
	for _, step := range []struct {
		pass        time.Duration
		short, long bool
	}{{0, true, true}, {time.Second, false, true}, {time.Second, false, true}, {time.Millisecond, false, false}, {-time.Hour, false, false}} {
		clock.pass(step.pass)
		_, _, short := c.get("short")
		_, _, long := c.get("long")
		if short != step.short || long != step.long {
			t.Errorf("at %v: %v %v", clock.now(), short, long)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCallerCache(newClock().now)
	for i := range maxCallers + 10 {
		c.put(fmt.Sprint(i), principal{}, 0)
	}
	if len(c.entries) > maxCallers {
		t.Fatal(len(c.entries))
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

// Two nodes on one PostgreSQL hear of each other's changes by notification; on
// SQLite the other process is the command line, and the cache's age tells.
func TestAnotherNodeHearsOfAChange(t *testing.T) {
	t.Parallel()
	w := setup(t)
	other := open(t, w.db, w.clock)
	if _, err := other.VerifyToken(t.Context(), w.tokens["owner"]); err != nil {
		t.Fatal(err)
	}
	if err := w.s.RemoveMember(t.Context(), "web", "member"); err != nil {
		t.Fatal(err)
	}
	if err := UserDisable(t.Context(), w.s, "owner"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other node refuses the token", func() bool {
		_, err := other.VerifyToken(t.Context(), w.tokens["owner"])
		return problem.Is(err, problem.Unauthorized)
	})
}

func TestAnotherProcessIsHeardByAge(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mustDo("owner", "GET", "/api/v1/accounts/me", "", 200)
	// Written past the service, as another process would.
	if err := w.db.Writer(t.Context()).Model(&userRow{}).Where("name = ?", "owner").Update("disabled", true).Error; err != nil {
		t.Fatal(err)
	}
	w.clock.pass(callerLife + time.Millisecond)
	w.mustDo("owner", "GET", "/api/v1/accounts/me", "", 401)
}

func TestRecheck(t *testing.T) {
	t.Parallel()
	w := setup(t)
	token, secret, err := TokenCreate(t.Context(), w.s, "member", NewToken{Name: "t", Team: "web", Scopes: identity.TokenScopes{"read"}, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	byToken, err := w.s.VerifyToken(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	bySession := identity.Caller{SessionID: hashOf(w.browse("member").cookie.Value), Address: "203.0.113.7"}
	recheck := func(c identity.Caller) identity.Caller {
		t.Helper()
		got, err := w.s.Recheck(identity.With(t.Context(), c))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := recheck(byToken); got.TokenID != token.ID || len(got.Teams) != 1 || len(got.Scopes) != 1 {
		t.Fatalf("%+v", got)
	}
	if got := recheck(bySession); got.Name != "member" || got.Address != "203.0.113.7" {
		t.Fatalf("%+v", got)
	}
	if recheck(identity.Caller{}).SignedIn() {
		t.Fatal("nobody became somebody")
	}
	w.mustDo("owner", "DELETE", "/api/v1/accounts/teams/web/members/member", "", 204)
	if got := recheck(byToken); !got.SignedIn() || len(got.Teams) != 0 {
		t.Fatalf("the role is still there: %+v", got)
	}
	w.clock.pass(24 * time.Hour)
	if recheck(byToken).SignedIn() {
		t.Fatal("the token has expired")
	}
	if err := UserDisable(t.Context(), w.s, "member"); err != nil {
		t.Fatal(err)
	}
	if recheck(bySession).SignedIn() {
		t.Fatal("the session has ended")
	}
}

func TestLastUseIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	lastUsed := func() time.Time {
		t.Helper()
		tokens, err := TokenList(t.Context(), w.s, "owner")
		if err != nil || len(tokens) != 1 {
			t.Fatal(tokens, err)
		}
		return tokens[0].LastUsed
	}
	for range 3 {
		w.clock.pass(time.Second)
		w.mustDo("owner", "GET", "/api/v1/accounts/me", "", 200)
	}
	if !lastUsed().IsZero() {
		t.Fatal("written per request")
	}
	used := w.clock.now()
	w.clock.pass(time.Minute)
	if err := w.s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := lastUsed(); !got.Equal(used) {
		t.Fatalf("%v, want %v", got, used)
	}
}

func BenchmarkAuthenticateCached(b *testing.B) { benchmarkAuthenticate(b, false) }
func BenchmarkAuthenticateFresh(b *testing.B)  { benchmarkAuthenticate(b, true) }

func benchmarkAuthenticate(b *testing.B, fresh bool) {
	w, token := benchWorld(b)
	for b.Loop() {
		if fresh {
			w.callers.clear()
		}
		if _, err := w.VerifyToken(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLogin is a whole login with the real parameters.
func BenchmarkLogin(b *testing.B) {
	current = production
	w, _ := benchWorld(b)
	for b.Loop() {
		if _, _, err := w.Login(b.Context(), "root", password, "", "bench"); err != nil {
			b.Fatal(err)
		}
	}
}

func benchWorld(b *testing.B) (*Service, string) {
	b.Helper()
	s, err := New(Deps{DB: databasetest.Open(b), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.EnsureFirstAdmin(b.Context(), "root", password); err != nil {
		b.Fatal(err)
	}
	_, token, err := TokenCreate(b.Context(), s, "root", NewToken{Name: "bench", Scopes: identity.TokenScopes{"*"}})
	if err != nil {
		b.Fatal(err)
	}
	return s, token
}
