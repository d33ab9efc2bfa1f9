package accounts

import (
	"strings"
	"sync"
	"testing"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func TestFirstAdministratorIsGeneratedOnce(t *testing.T) {
	t.Parallel()
	w := empty(t)
	generated, err := w.s.EnsureFirstAdmin(t.Context(), "", "")
	if err != nil || len(generated) < 20 {
		t.Fatal(generated, err)
	}
	if again, err := w.s.EnsureFirstAdmin(t.Context(), "other", "other password"); err != nil || again != "" {
		t.Fatal(again, err)
	}
	a := w.login("admin", generated)
	if a.Code != 200 || !strings.Contains(a.Body.String(), `"is_admin":true,"must_change_password":false`) {
		t.Fatal(a.Code, a.Body)
	}
	if a := w.login("other", "other password"); a.Code != 401 {
		t.Fatal(a.Code)
	}
	members, err := w.s.Members(t.Context(), MainTeam)
	if err != nil || len(members) != 1 || members[0].Role != identity.Owner || members[0].User.Name != "admin" {
		t.Fatal(members, err)
	}
}

func TestFirstAdministratorAsGiven(t *testing.T) {
	t.Parallel()
	w := empty(t)
	if generated, err := w.s.EnsureFirstAdmin(t.Context(), "boss", "given"); err != nil || generated != "" {
		t.Fatal(generated, err)
	}
	if a := w.login("boss", "given"); a.Code != 200 {
		t.Fatal(a.Code)
	}
}

func TestFirstAdministratorTakesOverAnExistingUser(t *testing.T) {
	t.Parallel()
	w := empty(t)
	if _, _, err := UserCreate(t.Context(), w.s, NewUser{Name: "ann", Password: password, Team: MainTeam, Role: identity.Viewer}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.EnsureFirstAdmin(t.Context(), "ann", "given"); err != nil {
		t.Fatal(err)
	}
	if a := w.login("ann", "given"); a.Code != 200 || !strings.Contains(a.Body.String(), `"is_admin":true`) {
		t.Fatal(a.Code, a.Body)
	}
}

func TestNodesStartingTogetherMakeOneAdministrator(t *testing.T) {
	t.Parallel()
	w := empty(t)
	generated := make([]string, 4)
	var wg sync.WaitGroup
	for i := range generated {
		wg.Go(func() {
			var err error
			if generated[i], err = w.s.EnsureFirstAdmin(t.Context(), "admin", ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made := strings.Join(generated, ""); len(made) != 23 || w.login("admin", made).Code != 200 {
		t.Fatalf("%q", generated)
	}
}

func TestFirstAdministratorRefusals(t *testing.T) {
	t.Parallel()
	w := empty(t)
	for name, password := range map[string]string{"a b": password, "admin": strings.Repeat("x", maxPassword+1)} {
		if _, err := w.s.EnsureFirstAdmin(t.Context(), name, password); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
