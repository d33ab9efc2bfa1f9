package githubtest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// App is a GitHub App.
type App struct {
	ID            int64
	Slug          string
	Manifest      map[string]any
	Hook          *Hook
	Installations []int64
	// Issued counts installation tokens, Lifetime is how long one lasts (an hour when 0).
	Issued int
	// Suspended installations answer only questions about themselves.
	Suspended bool
	Lifetime  time.Duration
	key       *rsa.PrivateKey
}

// CreateApp does what GitHub does when a person confirms a manifest; it returns the
// App and the code to convert.
func (s *Server) CreateApp(slug string, manifest map[string]any) (*App, string) {
	key := randomKey()
	s.mu.Lock()
	defer s.mu.Unlock()
	hook := &Hook{ID: s.next(), URL: word(object(manifest, "hook_attributes"), "url"), Secret: "whsec-" + slug, ContentType: "json", Active: true, Events: []string{"*"},
		targetType: "integration"}
	a := &App{ID: s.next(), Slug: slug, Manifest: manifest, Hook: hook, key: key}
	hook.targetID = a.ID
	s.apps[a.ID] = a
	code := "code-" + slug
	s.codes[code] = a
	return a, code
}

// Install installs the App and returns the installation's number.
func (s *Server) Install(a *App) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next()
	a.Installations = append(a.Installations, id)
	return id
}

// Revoke has every installation token refused from now on.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = map[string]time.Time{}
}

// Issued is how many installation tokens the App got.
func (s *Server) Issued(a *App) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.Issued
}

// Installed are the App's installations.
func (s *Server) Installed(a *App) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int64{}, a.Installations...)
}

func (s *Server) appHooks() []*Hook {
	list := []*Hook{}
	for _, a := range s.apps {
		if len(a.Installations) > 0 {
			list = append(list, a.Hook)
		}
	}
	return list
}

// appOf checks a JSON Web Token: algorithm, signature, times, issuer.
func (s *Server) appOf(r *http.Request) *App {
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return nil
	}
	var header struct{ Alg string }
	var claims struct {
		Iat, Exp int64
		Iss      string
	}
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return nil
		}
	}
	id, err := strconv.ParseInt(claims.Iss, 10, 64)
	app, now := s.apps[id], s.Now().Unix()
	if err != nil || app == nil || header.Alg != "RS256" || claims.Iat > now || claims.Exp < now || claims.Exp > claims.Iat+600 {
		return nil
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&app.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return nil
	}
	return app
}

func (s *Server) asApp(f func(a *App, r *http.Request, in map[string]any) (int, any, http.Header)) func(*http.Request, map[string]any) (int, any, http.Header) {
	return func(r *http.Request, in map[string]any) (int, any, http.Header) {
		a := s.appOf(r)
		if a == nil {
			return 401, message("A JSON web token could not be decoded"), nil
		}
		return f(a, r, in)
	}
}

func (a *App) installation(r *http.Request) int64 {
	for _, id := range a.Installations {
		if strconv.FormatInt(id, 10) == r.PathValue("installation") {
			return id
		}
	}
	return 0
}

func installationShape(id int64) map[string]any {
	return map[string]any{"id": id, "account": map[string]any{"login": "octo"}, "target_type": "Organization", "repository_selection": "all"}
}

// Suspend does, or undoes, what the owner of the account can do to the App.
func (s *Server) Suspend(a *App, suspended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Suspended = suspended
}

// Uninstall removes the App from everywhere.
func (s *Server) Uninstall(a *App) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.Installations = nil
}

func (s *Server) appRoutes() {
	s.mux.HandleFunc("POST /settings/apps/new", s.confirm)
	s.mux.HandleFunc("POST /organizations/{org}/settings/apps/new", s.confirm)
	s.handle("POST /app-manifests/{code}/conversions", s.conversion)
	s.handle("GET /app", s.asApp(func(a *App, _ *http.Request, _ map[string]any) (int, any, http.Header) {
		return 200, map[string]any{"id": a.ID, "slug": a.Slug}, nil
	}))
	s.handle("GET /app/installations", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
		list, header := page(s, r, a.Installations)
		shapes := []map[string]any{}
		for _, id := range list {
			shapes = append(shapes, installationShape(id))
		}
		return 200, shapes, header
	}))
	s.handle("GET /app/installations/{installation}", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
		if a.installation(r) == 0 {
			return notFound()
		}
		shape := installationShape(a.installation(r))
		if a.Suspended {
			shape["suspended_at"] = s.Now().UTC().Format(time.RFC3339)
		}
		return 200, shape, nil
	}))
	s.handle("DELETE /app/installations/{installation}", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
		id := a.installation(r)
		if id == 0 {
			return notFound()
		}
		left := []int64{}
		for _, i := range a.Installations {
			if i != id {
				left = append(left, i)
			}
		}
		a.Installations = left
		return 204, nil, nil
	}))
	s.handle("POST /app/installations/{installation}/access_tokens", s.asApp(s.issue))
	s.handle("PATCH /app/hook/config", s.asApp(func(a *App, _ *http.Request, in map[string]any) (int, any, http.Header) {
		a.Hook.put(map[string]any{"config": in}, s.Now())
		return 200, map[string]any{"url": a.Hook.URL, "content_type": a.Hook.ContentType, "secret": "********"}, nil
	}))
	s.handle("GET /app/hook/deliveries", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
		return s.listDeliveries(a.Hook, r)
	}))
	s.handle("GET /app/hook/deliveries/{delivery}", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) { return a.Hook.getDelivery(r) }))
	s.handle("POST /app/hook/deliveries/{delivery}/attempts", s.asApp(func(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
		return s.redeliver(a.Hook, r)
	}))
	s.handle("GET /installation/repositories", func(r *http.Request, _ map[string]any) (int, any, http.Header) {
		list, header := page(s, r, s.shapes())
		return 200, map[string]any{"total_count": len(s.order), "repositories": list}, header
	})
}

// confirm plays the person who presses the button on GitHub's page.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request) {
	var manifest map[string]any
	if err := json.Unmarshal([]byte(r.FormValue("manifest")), &manifest); err != nil {
		http.Error(w, "no manifest", http.StatusBadRequest)
		return
	}
	_, code := s.CreateApp("signalbox-"+strconv.Itoa(len(s.Requests("POST /settings/apps/new"))), manifest)
	http.Redirect(w, r, word(manifest, "redirect_url")+"?code="+code+"&state="+url.QueryEscape(r.URL.Query().Get("state")), http.StatusFound)
}

func (s *Server) conversion(r *http.Request, _ map[string]any) (int, any, http.Header) {
	a := s.codes[r.PathValue("code")]
	if a == nil {
		return notFound()
	}
	delete(s.codes, r.PathValue("code")) // good for once
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.key)})
	return 201, map[string]any{"id": a.ID, "slug": a.Slug, "name": "Signalbox " + a.Slug, "html_url": s.URL + "/apps/" + a.Slug, "webhook_secret": a.Hook.Secret,
		"pem": string(text), "client_id": "Iv1.x", "client_secret": "client-hush"}, nil
}

func (s *Server) issue(a *App, r *http.Request, _ map[string]any) (int, any, http.Header) {
	if a.installation(r) == 0 {
		return notFound()
	}
	a.Issued++
	life := a.Lifetime
	if life == 0 {
		life = time.Hour
	}
	token := "ghs_" + a.Slug + "_" + strconv.Itoa(a.Issued)
	s.tokens[token] = s.Now().Add(life)
	return 201, map[string]any{"token": token, "expires_at": s.tokens[token].UTC().Format(time.RFC3339)}, nil
}
