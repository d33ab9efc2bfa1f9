package issues

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	client "github.com/getsentry/sentry-go"
)

// TestSentryGo lets the real Go client report, with a DSN as set-up shows it.
func TestSentryGo(t *testing.T) {
	t.Parallel()
	w := prepare(t)
	c := collect(w.Service)
	w.run(t)
	p, k := w.newProject(t, "shop")
	server := httptest.NewServer(w.engine)
	t.Cleanup(server.Close)
	dsn := strings.Replace(w.dsn(k, false), "https://"+k.Public+"@signalbox.example.com", "http://"+k.Public+"@"+strings.TrimPrefix(server.URL, "http://"), 1)
	sdk, err := client.NewClient(client.ClientOptions{Dsn: dsn, Release: "shop@1.2.3", Environment: "test", AttachStacktrace: true})
	if err != nil {
		t.Fatal(err)
	}
	hub := client.NewHub(sdk, client.NewScope())
	hub.Scope().SetTag("colour", "green")
	hub.Scope().AddAttachment(&client.Attachment{Filename: "notes.txt", ContentType: "text/plain", Payload: []byte("hello")})
	failed := hub.CaptureException(fmt.Errorf("order 41: %w", errors.New("out of stock")))
	said := hub.CaptureMessage("something is odd")
	checkIn := hub.CaptureCheckIn(&client.CheckIn{MonitorSlug: "nightly", Status: client.CheckInStatusOK, Duration: time.Second}, nil)
	if failed == nil || said == nil || checkIn == nil || !sdk.Flush(20*time.Second) {
		t.Fatal("the client did not send")
	}
	found := map[string]Accepted{}
	until(t, "all have come", func() bool {
		for _, a := range c.list() {
			found[a.ItemType+" "+a.EventID] = a
		}
		return len(found) >= 5
	})
	for _, want := range []string{"event " + string(*failed), "event " + string(*said), "attachment " + string(*failed)} {
		a, there := found[want]
		if !there || a.Project != p.ID || !strings.HasPrefix(a.Client, "sentry.go/0.50") || a.Sent.IsZero() {
			t.Errorf("%s: %+v", want, a)
		}
	}
	var sent struct {
		Release, Environment string
		Tags                 map[string]string
	}
	if err := json.Unmarshal(found["event "+string(*failed)].Payload, &sent); err != nil || sent.Release != "shop@1.2.3" || sent.Tags["colour"] != "green" {
		t.Errorf("%+v %v", sent, err)
	}
	// A limit that we tell is one that the client keeps.
	w.change(t, p, map[string]any{"limits": []Limit{{"error", 2, PerMonth}}})
	hub.CaptureMessage("over the limit")
	sdk.Flush(20 * time.Second)
	limited := w.outcome(t, p.ID)["limited/month_limit/error"]
	for range 5 {
		hub.CaptureMessage("not sent any more")
	}
	sdk.Flush(20 * time.Second)
	if now := w.outcome(t, p.ID)["limited/month_limit/error"]; limited != 1 || now != limited {
		t.Errorf("%d refused, then %d", limited, now)
	}
}
