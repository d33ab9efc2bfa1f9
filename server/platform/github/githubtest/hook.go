package githubtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hook is a hook as GitHub keeps it, with what it delivered.
type Hook struct {
	ID                       int64
	URL, Secret, ContentType string
	Events                   []string
	Active                   bool
	Updated                  time.Time
	Deliveries               []*Delivery // the oldest first
	targetType               string
	targetID                 int64
}

// Delivery is one attempt to deliver.
type Delivery struct {
	ID            int64
	GUID          string
	Event, Action string
	At            time.Time
	Redelivery    bool
	StatusCode    int
	Headers       map[string]string
	Payload       json.RawMessage
	// Forgotten payloads are not handed out.
	Forgotten bool
}

func (h *Hook) shape() map[string]any {
	config := map[string]any{"url": h.URL, "content_type": h.ContentType, "insecure_ssl": "0"}
	if h.Secret != "" {
		config["secret"] = "********"
	}
	return map[string]any{"id": h.ID, "type": "Repository", "name": "web", "active": h.Active, "events": h.Events, "config": config,
		"updated_at": h.Updated.UTC().Format(time.RFC3339)}
}

// put takes what a request sets; as at GitHub a config without secret clears it.
func (h *Hook) put(in map[string]any, now time.Time) {
	if config := object(in, "config"); config != nil {
		h.URL, h.Secret, h.ContentType = word(config, "url"), word(config, "secret"), word(config, "content_type")
	}
	if events, ok := in["events"].([]any); ok {
		h.Events = nil
		for _, e := range events {
			text, _ := e.(string)
			h.Events = append(h.Events, text)
		}
	}
	if active, ok := in["active"].(bool); ok {
		h.Active = active
	}
	h.Updated = now
}

// hookOwner is a repository or an organization.
type hookOwner struct {
	hooks *[]*Hook
	kind  string
}

// hookRoutes are those of repositories and of organizations, which answer alike.
func (s *Server) hookRoutes() {
	s.hooksBelow("/repos/{owner}/{repo}/hooks", func(r *http.Request) (hookOwner, bool) {
		repo := s.repoOf(r)
		if repo == nil || !repo.Admin {
			return hookOwner{}, false
		}
		return hookOwner{&repo.Hooks, "repository"}, true
	})
	s.hooksBelow("/orgs/{org}/hooks", func(r *http.Request) (hookOwner, bool) {
		org := s.orgs[strings.ToLower(r.PathValue("org"))]
		if org == nil || !org.Owner {
			return hookOwner{}, false
		}
		return hookOwner{&org.Hooks, "organization"}, true
	})
}

func (s *Server) hooksBelow(base string, find func(r *http.Request) (hookOwner, bool)) {
	all := func(pattern string, f func(o hookOwner, r *http.Request, in map[string]any) (int, any, http.Header)) {
		s.handle(pattern, func(r *http.Request, in map[string]any) (int, any, http.Header) {
			o, found := find(r)
			if !found {
				return notFound()
			}
			return f(o, r, in)
		})
	}
	all("GET "+base, func(o hookOwner, r *http.Request, _ map[string]any) (int, any, http.Header) {
		shapes := []map[string]any{}
		for _, h := range *o.hooks {
			shapes = append(shapes, h.shape())
		}
		list, header := page(s, r, shapes)
		return 200, list, header
	})
	all("POST "+base, func(o hookOwner, _ *http.Request, in map[string]any) (int, any, http.Header) {
		h := &Hook{ID: s.next(), Active: true, Events: []string{"push"}, targetType: o.kind, targetID: 1}
		h.put(in, s.Now())
		if slices.ContainsFunc(*o.hooks, func(o *Hook) bool { return o.URL == h.URL }) {
			return 422, map[string]any{"message": "Validation Failed", "errors": []any{map[string]any{"resource": "Hook", "code": "custom", "message": "Hook already exists on this " + o.kind}}}, nil
		}
		*o.hooks = append(*o.hooks, h)
		return 201, h.shape(), nil
	})
	one := func(method, path string, f func(h *Hook, o hookOwner, r *http.Request, in map[string]any) (int, any, http.Header)) {
		all(method+" "+base+"/{hook}"+path, func(o hookOwner, r *http.Request, in map[string]any) (int, any, http.Header) {
			for _, h := range *o.hooks {
				if strconv.FormatInt(h.ID, 10) == r.PathValue("hook") {
					return f(h, o, r, in)
				}
			}
			return notFound()
		})
	}
	one("GET", "", func(h *Hook, _ hookOwner, _ *http.Request, _ map[string]any) (int, any, http.Header) {
		return 200, h.shape(), nil
	})
	one("PATCH", "", func(h *Hook, _ hookOwner, _ *http.Request, in map[string]any) (int, any, http.Header) {
		h.put(in, s.Now())
		return 200, h.shape(), nil
	})
	one("DELETE", "", func(h *Hook, o hookOwner, _ *http.Request, _ map[string]any) (int, any, http.Header) {
		*o.hooks = slices.DeleteFunc(*o.hooks, func(o *Hook) bool { return o == h })
		return 204, nil, nil
	})
	one("POST", "/pings", func(h *Hook, _ hookOwner, r *http.Request, _ map[string]any) (int, any, http.Header) {
		go s.send(context.WithoutCancel(r.Context()), h, s.prepare(h, "ping", "", []byte(`{"zen":"Keep it logically awesome."}`)))
		return 204, nil, nil
	})
	one("GET", "/deliveries", func(h *Hook, _ hookOwner, r *http.Request, _ map[string]any) (int, any, http.Header) {
		return s.listDeliveries(h, r)
	})
	one("GET", "/deliveries/{delivery}", func(h *Hook, _ hookOwner, r *http.Request, _ map[string]any) (int, any, http.Header) {
		return h.getDelivery(r)
	})
	one("POST", "/deliveries/{delivery}/attempts", func(h *Hook, _ hookOwner, r *http.Request, _ map[string]any) (int, any, http.Header) {
		return s.redeliver(h, r)
	})
}

func (d *Delivery) shape(whole bool) map[string]any {
	status := "OK"
	if d.StatusCode/100 != 2 {
		status = "failed to connect to host"
	}
	out := map[string]any{"id": d.ID, "guid": d.GUID, "delivered_at": d.At.UTC().Format(time.RFC3339), "redelivery": d.Redelivery, "status": status,
		"status_code": d.StatusCode, "event": d.Event, "action": d.Action, "duration": 0.1}
	if whole && !d.Forgotten {
		out["request"] = map[string]any{"headers": d.Headers, "payload": d.Payload}
	}
	return out
}

// listDeliveries goes by cursor, the newest first.
func (s *Server) listDeliveries(h *Hook, r *http.Request) (int, any, http.Header) {
	size, from := s.pageSize(r), len(h.Deliveries)
	if n, err := strconv.Atoi(r.URL.Query().Get("cursor")); err == nil {
		from = min(n, from)
	}
	list := []map[string]any{}
	for from > 0 && len(list) < size {
		from--
		list = append(list, h.Deliveries[from].shape(false))
	}
	if from == 0 {
		return 200, list, nil
	}
	return 200, list, s.link(r, "cursor", strconv.Itoa(from))
}

func (h *Hook) delivery(r *http.Request) *Delivery {
	for _, d := range h.Deliveries {
		if strconv.FormatInt(d.ID, 10) == r.PathValue("delivery") {
			return d
		}
	}
	return nil
}

func (h *Hook) getDelivery(r *http.Request) (int, any, http.Header) {
	d := h.delivery(r)
	if d == nil {
		return notFound()
	}
	return 200, d.shape(true), nil
}

func (s *Server) redeliver(h *Hook, r *http.Request) (int, any, http.Header) {
	d := h.delivery(r)
	if d == nil {
		return notFound()
	}
	again := *d
	again.ID, again.Redelivery, again.At, again.StatusCode = s.next(), true, s.Now(), 0
	h.Deliveries = append(h.Deliveries, &again)
	go s.send(context.WithoutCancel(r.Context()), h, &again)
	return 202, map[string]any{}, nil
}

// prepare notes a delivery that is about to be sent; under the lock.
func (s *Server) prepare(h *Hook, event, action string, payload []byte) *Delivery {
	raw := make([]byte, 16)
	rand.Read(raw)
	d := &Delivery{ID: s.next(), GUID: hex.EncodeToString(raw), Event: event, Action: action, At: s.Now(), Payload: payload}
	d.Headers = map[string]string{"X-GitHub-Event": event, "X-GitHub-Delivery": d.GUID, "User-Agent": "GitHub-Hookshot/fake",
		"X-GitHub-Hook-ID": strconv.FormatInt(h.ID, 10), "X-GitHub-Hook-Installation-Target-Type": h.targetType,
		"X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(h.targetID, 10), "Content-Type": "application/json"}
	h.Deliveries = append(h.Deliveries, d)
	return d
}

// send posts a delivery as GitHub would: once, signed, without following redirects.
func (s *Server) send(ctx context.Context, h *Hook, d *Delivery) int {
	s.mu.Lock()
	address, secret, kind := h.URL, h.Secret, h.ContentType
	s.mu.Unlock()
	body := []byte(d.Payload)
	if kind == "form" {
		body = []byte("payload=" + url.QueryEscape(string(body)))
	}
	status := 0
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err == nil {
		for name, value := range d.Headers {
			r.Header.Set(name, value)
		}
		if kind == "form" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if secret != "" {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(body)
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		}
		if response, err := s.Client.Do(r); err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
			status = response.StatusCode
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.StatusCode = status; status == 0 {
		d.StatusCode = http.StatusBadGateway
	}
	return status
}

// hooksOf are all that tell of a repository: its own, its organization's and those of Apps.
func (s *Server) hooksOf(r *Repo) []*Hook {
	list := slices.Clone(r.Hooks)
	if org := s.orgs[strings.ToLower(r.Owner)]; org != nil {
		list = append(list, org.Hooks...)
	}
	return append(list, s.appHooks()...)
}

// Deliver sends an event to every hook of the repository that asks for it, and
// returns what they answered; 0 stands for no answer.
func (s *Server) Deliver(ctx context.Context, owner, name, event string, payload any) []int {
	body, err := json.Marshal(payload)
	if err != nil {
		panic(err) // a test's own payload
	}
	var action struct{ Action string }
	_ = json.Unmarshal(body, &action) // what is no object has no action
	type todo struct {
		hook *Hook
		d    *Delivery
	}
	var list []todo
	s.Look(owner, name, func(r *Repo) {
		for _, h := range s.hooksOf(r) {
			if h.Active && (slices.Contains(h.Events, event) || slices.Contains(h.Events, "*")) {
				list = append(list, todo{h, s.prepare(h, event, action.Action, body)})
			}
		}
	})
	codes := []int{}
	for _, t := range list {
		codes = append(codes, s.send(ctx, t.hook, t.d))
	}
	return codes
}

// Lose notes deliveries that reached nobody, as in an outage of ours.
func (s *Server) Lose(owner, name, event string, payloads ...any) {
	s.Look(owner, name, func(r *Repo) {
		for _, payload := range payloads {
			body, err := json.Marshal(payload)
			if err != nil {
				panic(err) // a test's own payload
			}
			for _, h := range s.hooksOf(r) {
				s.prepare(h, event, "", body).StatusCode = http.StatusBadGateway
			}
		}
	})
}
