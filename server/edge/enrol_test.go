package edge

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/agents/protocol"
)

func TestEnrolment(t *testing.T) {
	t.Parallel()
	w := setup(t)
	secret := w.token(t, `,"site":"osl","labels":{"role":"pos"},"max_uses":3`)
	a := w.agent("edge-1")
	out, status := a.enrol(t, secret, func(in *protocol.EnrollRequest) {
		in.Site, in.Labels = "elsewhere", map[string]string{"role": "admin", "row": "3"}
	})
	if status != http.StatusCreated || out.State != protocol.NodePending || out.IntervalSeconds != 300 || !out.Time.Equal(noon) || len(out.Root) != 0 {
		t.Fatal(status, out)
	}
	n := a.row(t)
	if n.Site != "osl" || n.Labels["role"] != "pos" || n.Labels["row"] != "3" || n.Variant != "debian/12/amd64" || n.Fingerprint != protocol.Fingerprint(a.public()) || n.Token != "shop" {
		t.Errorf("%+v", n)
	}
	// The answer was lost: the same key asks again.
	again, status := a.enrol(t, secret)
	if status != http.StatusCreated || again.Node != out.Node {
		t.Errorf("again: %d %+v", status, again)
	}
	list, err := w.rows().tokens(t.Context(), 1)
	if err != nil || list[0].Uses != 1 || list[0].Secret != "" {
		t.Errorf("%+v, %v", list, err)
	}
	// Waiting, it may check in and nothing else.
	answer, status := a.checkIn(t, protocol.CheckIn{InventorySHA256: "x"})
	if status != 200 || answer.State != protocol.NodePending || answer.WantInventory || answer.NextInSeconds > 72 {
		t.Errorf("pending: %d %+v", status, answer)
	}
	for _, r := range [][2]string{{"POST", protocol.PathReports}, {"GET", protocol.PathMetadata + "timestamp.json"}, {"GET", protocol.BlobPath(strings.Repeat("a", 64))}, {"GET", protocol.ManifestPath("b")}, {"POST", protocol.PathRotate}} {
		if out := a.do(r[0], r[1], nil); out.Code != http.StatusForbidden {
			t.Errorf("pending %s: %d", r[1], out.Code)
		}
	}
	w.want(t, "ada", "POST", "/api/v1/edge/decisions", `{"team":"main","decision":"accept","nodes":["`+a.id+`"],"reason":"seen it"}`, 200, nil)
	if answer, _ := a.checkIn(t, protocol.CheckIn{InventorySHA256: "x"}); answer.State != protocol.NodeAccepted || !answer.WantInventory {
		t.Errorf("accepted: %+v", answer)
	}
	if e := a.events(t); len(e) != 2 || e[0].Kind != KindAccepted || e[0].Actor != "ada" || e[0].Message != "seen it" || e[1].Kind != KindEnrolled {
		t.Errorf("%+v", e)
	}
}

func TestTokensThatDoNotLetIn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	expired := w.token(t, `,"hours":1`)
	once := w.token(t, ``)
	var revoked Token
	w.want(t, "ada", "POST", "/api/v1/edge/tokens", `{"team":"main","name":"r"}`, 201, &revoked)
	w.want(t, "ada", "DELETE", "/api/v1/edge/tokens/"+revoked.ID, "", 204, nil)
	if _, status := w.agent("first").enrol(t, once); status != http.StatusCreated {
		t.Fatal(status)
	}
	w.clock.advance(2 * time.Hour)
	good := w.token(t, `,"max_uses":50`)
	for _, c := range []struct {
		name, token string
		change      func(*protocol.EnrollRequest)
		status      int
	}{
		{"unknown", "sbe_x", nil, 403},
		{"empty", "", nil, 403},
		{"expired", expired, nil, 403},
		{"used up", once, nil, 403},
		{"revoked", revoked.Secret, nil, 403},
		{"a bad name", good, func(in *protocol.EnrollRequest) { in.Name = "a b" }, 400},
		{"no name", good, func(in *protocol.EnrollRequest) { in.Name, in.Machine.Hostname = "", "" }, 400},
		{"a bad site", good, func(in *protocol.EnrollRequest) { in.Site = "../" }, 400},
		{"a bad label", good, func(in *protocol.EnrollRequest) { in.Labels = map[string]string{"a\n": ""} }, 400},
		{"no system", good, func(in *protocol.EnrollRequest) { in.Machine.OSID = "" }, 400},
		{"a strange package system", good, func(in *protocol.EnrollRequest) { in.Machine.PackageSystem = "brew" }, 400},
		{"a foreign key", good, func(in *protocol.EnrollRequest) { in.PublicKey = w.agent("somebody").public() }, 401},
		{"a short key", good, func(in *protocol.EnrollRequest) { in.PublicKey = in.PublicKey[:5] }, 401},
	} {
		a := w.agent("bad-" + strings.ReplaceAll(c.name, " ", "-"))
		if _, status := a.enrol(t, c.token, func(in *protocol.EnrollRequest) {
			if c.change != nil {
				c.change(in)
			}
		}); status != c.status {
			t.Errorf("%s: %d, want %d", c.name, status, c.status)
		}
	}
	for name, body := range map[string]string{
		"no name": `{"team":"main"}`, "too many uses": `{"team":"main","name":"a","max_uses":1000000}`, "too long": `{"team":"main","name":"a","hours":9999}`, "negative": `{"team":"main","name":"a","hours":-1}`, "a bad site": `{"team":"main","name":"a","site":"x y"}`,
	} {
		if status, answer := w.call("ada", "POST", "/api/v1/edge/tokens", body); status != 400 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

func TestDecisionsInBulk(t *testing.T) {
	t.Parallel()
	w := setup(t)
	secret := w.token(t, `,"max_uses":10`)
	var ids []string
	agents := map[string]*agent{}
	for _, name := range []string{"one", "two", "three"} {
		a := w.agent(name)
		if _, status := a.enrol(t, secret); status != 201 {
			t.Fatal(status)
		}
		agents[name] = a
		ids = append(ids, `"`+a.id+`"`)
	}
	twin := w.agent("twin")
	if _, status := twin.enrol(t, secret, func(in *protocol.EnrollRequest) { in.Name = "one" }); status != 201 {
		t.Fatal(status)
	}
	var out decideOut
	decide := func(decision string, nodes ...string) {
		t.Helper()
		w.want(t, "mia", "POST", "/api/v1/edge/decisions", `{"team":"main","decision":"`+decision+`","nodes":[`+strings.Join(nodes, ",")+`]}`, 200, &out)
	}
	decide("accept", append(ids, `"`+twin.id+`"`, `"nobody"`)...)
	if len(out.Items) != 5 || !out.Items[0].Done || !out.Items[2].Done || out.Items[3].Done || !strings.Contains(out.Items[3].Problem, "accepted node one") || out.Items[4].Done {
		t.Errorf("%+v", out.Items)
	}
	decide("accept", ids[0])
	if out.Items[0].Done || out.Items[0].Problem != "one is accepted." {
		t.Errorf("twice: %+v", out.Items)
	}
	decide("reject", `"`+twin.id+`"`)
	if _, status := twin.checkIn(t, protocol.CheckIn{}); status != http.StatusForbidden {
		t.Errorf("rejected: %d", status)
	}
	if _, status := agents["one"].checkIn(t, protocol.CheckIn{}); status != 200 {
		t.Fatal(status)
	}
	decide("revoke", ids[0])
	if _, status := agents["one"].checkIn(t, protocol.CheckIn{}); status != http.StatusForbidden {
		t.Errorf("revoked: %d", status)
	}
	if _, status := agents["one"].enrol(t, secret); status != http.StatusForbidden {
		t.Errorf("a revoked key enrols: %d", status)
	}
	// The name is free now.
	decide("accept", `"`+twin.id+`"`)
	if !out.Items[0].Done {
		t.Errorf("%+v", out.Items)
	}
	for body, status := range map[string]int{`{"team":"main","decision":"praise","nodes":["x"]}`: 400, `{"team":"main","decision":"accept","nodes":[]}`: 400, `{"team":"other","decision":"accept","nodes":["x"]}`: 404} {
		if code, answer := w.call("ada", "POST", "/api/v1/edge/decisions", body); code != status {
			t.Errorf("%s: %d %s", body, code, answer)
		}
	}
	if code, _ := w.call("vic", "POST", "/api/v1/edge/decisions", `{"team":"main","decision":"accept","nodes":["x"]}`); code != 403 {
		t.Errorf("a viewer decides: %d", code)
	}
	w.want(t, "ada", "DELETE", "/api/v1/edge/nodes/"+agents["two"].id, "", 409, nil)
	w.want(t, "ada", "DELETE", "/api/v1/edge/nodes/"+strings.Trim(ids[0], `"`), "", 204, nil)
}

func TestATokenThatAcceptsDoesNotReplaceANode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.node(t, "edge-1")
	twin := w.agent("twin")
	out, status := twin.enrol(t, w.token(t, `,"accepts":true`), func(in *protocol.EnrollRequest) { in.Name = "edge-1" })
	if status != 201 || out.State != protocol.NodePending {
		t.Error(status, out)
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	next := w.agent("next").key
	nextPublic := next.Public().(ed25519.PublicKey)
	rotate := func(proof []byte) int {
		return a.send(t, "POST", protocol.PathRotate, protocol.RotateRequest{PublicKey: nextPublic, Proof: proof}, nil)
	}
	if status := rotate(protocol.RotationProof("another", a.public(), next)); status != 400 {
		t.Errorf("a proof for another node: %d", status)
	}
	old := a.key
	if status := rotate(protocol.RotationProof(a.id, a.public(), next)); status != 200 {
		t.Fatal(status)
	}
	if _, status := a.checkIn(t, protocol.CheckIn{}); status != 401 {
		t.Errorf("the old key is taken: %d", status)
	}
	a.key = next
	if _, status := a.checkIn(t, protocol.CheckIn{}); status != 200 {
		t.Errorf("the new key is not taken: %d", status)
	}
	if n := a.row(t); n.Fingerprint != protocol.Fingerprint(nextPublic) || n.RotatedAt == 0 {
		t.Errorf("%+v", n)
	}
	// A key is one node's.
	b := w.node(t, "edge-2")
	if status := b.send(t, "POST", protocol.PathRotate, protocol.RotateRequest{PublicKey: nextPublic, Proof: protocol.RotationProof(b.id, b.public(), next)}, nil); status != 409 {
		t.Errorf("a key of two nodes: %d", status)
	}
	a.key = old
	if e := a.events(t); e[0].Kind != KindRotated {
		t.Errorf("%+v", e[0])
	}
}

func TestADeletedTeamHasNoNodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := w.node(t, "edge-1")
	if _, status := a.checkIn(t, protocol.CheckIn{}); status != 200 {
		t.Fatal(status)
	}
	err := w.DB.Tx(t.Context(), func(ctx context.Context) error {
		if err := w.DeleteTeam(ctx, 1); err != nil {
			return err
		}
		return w.DB.Writer(ctx).Exec("DELETE FROM accounts_teams WHERE id = 1").Error
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, status := a.checkIn(t, protocol.CheckIn{}); status != 401 {
		t.Errorf("%d", status)
	}
	if err := w.flush(t.Context()); err != nil { // what it said before it went
		t.Error(err)
	}
}
