package accounts

import (
	"fmt"
	"strings"
	"testing"
)

func (w *world) audit(as, query string) list[auditOut] {
	w.t.Helper()
	var out list[auditOut]
	w.mustDo(as, "GET", "/api/v1/accounts/audit"+query, "", 200).json(&out)
	return out
}

func TestAuditIsSeenByWhomItConcerns(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mustDo("owner", "PUT", "/api/v1/accounts/teams/web/members/viewer", `{"role":"member"}`, 204)
	all := w.audit("root", "")
	if e := all.Items[0]; e.Actor != "owner" || e.Action != "member.change" || e.Object != "viewer" || e.Detail != "viewer to member" || e.Address != "203.0.113.7" || len(e.RequestID) < 8 {
		t.Errorf("%+v", e)
	}
	if len(all.Items) < 10 || all.Next != "" {
		t.Fatalf("%+v", all)
	}
	for _, e := range all.Items {
		if e.Actor == "" || e.Action == "" || e.Object == "" || e.At.IsZero() {
			t.Errorf("%+v", e)
		}
	}
	for _, as := range []string{"owner", "root"} {
		for _, e := range w.audit(as, "?team=web").Items {
			if e.Team != "web" {
				t.Errorf("%s: %+v", as, e)
			}
		}
	}
	mine := w.audit("owner", "")
	if len(mine.Items) == 0 || len(mine.Items) >= len(all.Items) {
		t.Fatalf("%d of %d", len(mine.Items), len(all.Items))
	}
	w.mustDo("owner", "GET", "/api/v1/accounts/audit?team=main", "", 404)
	w.mustDo("member", "GET", "/api/v1/accounts/audit?team=web", "", 403)
}

func TestAuditSearch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for query, want := range map[string]int{"?q=MEMBER.ADD": 6, "?q=pipeline-operator&team=web": 1, "?q=100%25": 0, "?q=_": 0, "?q=first+administrator": 1} {
		if got := w.audit("root", query); len(got.Items) != want {
			t.Errorf("%s: %d entries, want %d: %+v", query, len(got.Items), want, got.Items)
		}
	}
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i := range 2 * auditPage {
		if err := w.s.Audit(t.Context(), 0, "test.page", fmt.Sprint(i), strings.Repeat("я", maxAuditDetail)); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	query := "?q=test.page"
	for range 3 {
		page := w.audit("root", query)
		for _, e := range page.Items {
			if seen[e.ID] || e.Actor != "nobody" || !strings.HasSuffix(e.Detail, "я…") {
				t.Fatalf("%s again, or %q", e.ID, e.Detail)
			}
			seen[e.ID] = true
		}
		if page.Next == "" {
			break
		}
		query = "?q=test.page&before=" + page.Next
	}
	if len(seen) != 2*auditPage {
		t.Fatalf("%d entries", len(seen))
	}
}
