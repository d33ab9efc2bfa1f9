package edge

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

// TestExpectedMachines: whoever prepared a machine uploads its key's fingerprint, and
// nobody need look at it when it comes. A token it needs all the same.
func TestExpectedMachines(t *testing.T) {
	t.Parallel()
	w := setup(t)
	secret := w.token(t, `,"site":"osl","labels":{"role":"pos"},"max_uses":9`)
	a, late, foreign := w.agent("edge-1"), w.agent("edge-2"), w.agent("edge-3")
	print := func(a *agent) string { return protocol.Fingerprint(a.public()) }
	var out expectedOut
	w.want(t, "ada", "POST", "/api/v1/edge/expected", `{"team":"main","days":2,"items":[{"fingerprint":"`+strings.ToUpper(print(a))+`","name":"till-7","site":"bgo","labels":{"row":"3"}},{"fingerprint":"`+print(late)+`"}]}`, 201, &out)
	if len(out.Items) != 2 || out.Items[0].Fingerprint != print(a) || out.Items[0].Node != "" || out.Items[0].CreatedBy != "ada" {
		t.Fatalf("%+v", out)
	}
	if answer, status := a.enrol(t, secret); status != http.StatusCreated || answer.State != protocol.NodeAccepted {
		t.Fatal(status, answer)
	}
	if n := a.row(t); n.Name != "till-7" || n.Site != "bgo" || n.Labels["row"] != "3" || n.Labels["role"] != "pos" || n.DecidedBy != "expected by ada" {
		t.Errorf("%+v", n)
	}
	if answer, _ := foreign.enrol(t, secret); answer.State != protocol.NodePending {
		t.Errorf("unexpected: %+v", answer)
	}
	w.clock.advance(49 * time.Hour)
	if answer, _ := late.enrol(t, w.token(t, ``)); answer.State != protocol.NodePending {
		t.Errorf("too late: %+v", answer)
	}
	w.want(t, "mia", "GET", "/api/v1/edge/expected?team=main", "", 200, &out)
	came := 0
	for _, e := range out.Items {
		if e.Node == a.id && e.EnrolledAt != 0 {
			came++
		}
	}
	if came != 1 || len(out.Items) != 2 {
		t.Errorf("%+v", out)
	}
	w.want(t, "ada", "DELETE", "/api/v1/edge/expected/"+print(late)+"?team=main", "", 204, nil)
	for _, c := range []struct {
		who, method, path, body string
		want                    int
	}{
		{"ada", "DELETE", "/api/v1/edge/expected/" + print(late) + "?team=main", "", 404},
		{"ada", "POST", "/api/v1/edge/expected", `{"team":"main","items":[]}`, 400},
		{"ada", "POST", "/api/v1/edge/expected", `{"team":"main","items":[{"fingerprint":"abc"}]}`, 400},
		{"ada", "POST", "/api/v1/edge/expected", `{"team":"main","days":400,"items":[{"fingerprint":"` + print(a) + `"}]}`, 400},
		{"ada", "POST", "/api/v1/edge/expected", `{"team":"main","items":[{"fingerprint":"` + print(a) + `"},{"fingerprint":"` + print(a) + `"}]}`, 400},
		{"ada", "POST", "/api/v1/edge/expected", `{"team":"main","items":[{"fingerprint":"` + print(a) + `","name":"-"}]}`, 400},
		{"vic", "POST", "/api/v1/edge/expected", `{"team":"main","items":[{"fingerprint":"` + print(a) + `"}]}`, 403},
		{"eve", "GET", "/api/v1/edge/expected?team=main", "", 404},
	} {
		w.want(t, c.who, c.method, c.path, c.body, c.want, nil)
	}
	worked(t, w.rows().dropStaleExpected(t.Context(), w.clock.now().UnixMilli()))
	if list, err := w.rows().allExpected(t.Context(), 1); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func worked(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
