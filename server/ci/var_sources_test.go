package ci

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/ci/buildlog"
	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/databasetest"
	"github.com/signalbox/signalbox/server/platform/secrets"
)

// fakeVault answers like a Vault with a mount of each version: kv1 and kv2.
func fakeVault(t *testing.T) *httptest.Server {
	t.Helper()
	answers := map[string]string{
		"/v1/sys/internal/ui/mounts/kv2/": `{"data":{"type":"kv","options":{"version":"2"}}}`,
		"/v1/sys/internal/ui/mounts/kv1/": `{"data":{"type":"kv","options":null}}`,
		"/v1/kv1/main/web/password":       `{"data":{"value":"of the pipeline"}}`,
		"/v1/kv1/main/password":           `{"data":{"value":"of the team"}}`,
		"/v1/kv1/main/login":              `{"data":{"user":"u","password":"p"}}`,
		"/v1/kv1/root":                    `{"data":{"value":"at the root"}}`,
		"/v1/kv1/common/shared":           `{"data":{"value":"of everybody"}}`,
		"/v1/kv2/data/main/web/password":  `{"data":{"data":{"value":"versioned"},"metadata":{"version":3}}}`,
		"/v1/kv2/data/main/broken":        `{"data":`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/auth/approle/login" {
			body, _ := io.ReadAll(r.Body)
			if string(body) != `{"role_id":"r","secret_id":"s"}` {
				w.WriteHeader(400)
				io.WriteString(w, `{"errors":["invalid role or secret ID"]}`)
				return
			}
			io.WriteString(w, `{"auth":{"client_token":"t"}}`)
			return
		}
		if r.URL.Path == "/v1/elsewhere/x" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
			return
		}
		if r.Header.Get("X-Vault-Token") != "t" || r.Header.Get("X-Vault-Namespace") == "closed" {
			w.WriteHeader(403)
			io.WriteString(w, `{"errors":["permission denied"]}`)
			return
		}
		for path, answer := range answers {
			if r.URL.Path == path || strings.HasSuffix(path, "/") && strings.HasPrefix(r.URL.Path+"/", path) {
				io.WriteString(w, answer)
				return
			}
		}
		w.WriteHeader(404)
		io.WriteString(w, `{"errors":[]}`)
	}))
	t.Cleanup(server.Close)
	return server
}

// sourced is a service that may call out and seal, at a fixed time.
func sourced(t *testing.T) *world {
	t.Helper()
	w := stopped(t, databasetest.Open(t), &buildlog.Store{Dir: filepath.Join(t.TempDir(), "logs")})
	box, _, err := secrets.OpenBox(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	w.ci.deps.Sealer, w.ci.deps.Dial = box, (&net.Dialer{}).DialContext
	return w
}

func TestVarSources(t *testing.T) {
	t.Parallel()
	w := sourced(t)
	server := fakeVault(t)
	build := engine.Build{TeamID: teamMain, TeamName: "main", PipelineName: "web"}
	vaultOf := func(more string) string {
		return `{"name":"v","type":"vault","config":{"url":"` + server.URL + `",` + more + `}}`
	}
	for _, c := range []struct{ name, sources, text, want, fails string }{
		{"no source", `[]`, "((token))", "hush-hush", ""},
		{"plain beside sources", `[{"name":"d","type":"dummy","config":{"vars":{"x":"y"}}}]`, "((token))", "hush-hush", ""},
		{"dummy", `[{"name":"d","type":"dummy","config":{"vars":{"x":"y"}}}]`, "a((d:x))b", "ayb", ""},
		{"dummy with fields", `[{"name":"d","type":"dummy","config":{"vars":{"x":{"y":"z"}}}}]`, "((d:x.y))", "z", ""},
		{"dummy without it", `[{"name":"d","type":"dummy","config":{"vars":{}}}]`, "((d:x))", "", "undefined vars: d:x"},
		{"unknown source", `[{"name":"d","type":"dummy","config":{"vars":{}}}]`, "((e:x))", "", "missing source 'e'"},
		{"plain var in a config", `[{"name":"d","type":"dummy","config":{"vars":{"x":"((token))"}}}]`, "((d:x))", "hush-hush", ""},
		{"one through another, in any order", `[{"name":"b","type":"dummy","config":{"vars":{"x":"((a:x))!"}}},{"name":"a","type":"dummy","config":{"vars":{"x":"deep"}}}]`, "((b:x))", "deep!", ""},
		{"in a circle", `[{"name":"b","type":"dummy","config":{"vars":{"x":"((a:x))"}}},{"name":"a","type":"dummy","config":{"vars":{"x":"((b:x))"}}}]`, "((b:x))", "", "inter-dependent"},
		{"not built in", `[{"name":"s","type":"conjur","config":{"region":"x"}}]`, "((s:x))", "", "var source 's': conjur is no type of var source here"},
		{"not built in, and not used", `[{"name":"s","type":"secretsmanager","config":{}}]`, "((token))", "hush-hush", ""},
		{"vault, of the pipeline", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1"`) + "]", "((v:password))", "of the pipeline", ""},
		{"vault, field", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1"`) + "]", "((v:login.user))", "u", ""},
		{"vault, at the root", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1"`) + "]", "((v:root))", "at the root", ""},
		{"vault, shared", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1","shared_path":"common"`) + "]", "((v:shared))", "of everybody", ""},
		{"vault, own templates", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1","lookup_templates":["/{{.Team}}/{{.Secret}}"]`) + "]", "((v:password))", "of the team", ""},
		{"vault, bad template", "[" + vaultOf(`"client_token":"t","lookup_templates":["/x"]`) + "]", "((v:password))", "", "does not end in {{.Secret}}"},
		{"vault, nothing there", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv1"`) + "]", "((v:nope))", "", "undefined vars: v:nope"},
		{"vault with versions", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv2"`) + "]", "((v:password))", "versioned", ""},
		{"vault, not JSON", "[" + vaultOf(`"client_token":"t","path_prefix":"/kv2"`) + "]", "((v:broken))", "", "is not JSON"},
		{"vault by approle", "[" + vaultOf(`"auth_backend":"approle","auth_params":{"role_id":"r","secret_id":"s"},"path_prefix":"/kv1"`) + "]", "((v:password))", "of the pipeline", ""},
		{"vault by a wrong approle", "[" + vaultOf(`"auth_backend":"approle","auth_params":{"role_id":"r","secret_id":"x"}`) + "]", "((v:password))", "", "invalid role or secret ID"},
		{"vault without authentication", "[" + vaultOf(`"path_prefix":"/kv1"`) + "]", "((v:password))", "", "needs client_token"},
		{"vault, forbidden", "[" + vaultOf(`"client_token":"x","path_prefix":"/kv1"`) + "]", "((v:password))", "", "status 403: permission denied"},
		{"vault, namespace", "[" + vaultOf(`"client_token":"t","namespace":"closed","path_prefix":"/kv1"`) + "]", "((v:password))", "", "permission denied"},
		{"vault by a token of another source", `[{"name":"d","type":"dummy","config":{"vars":{"x":"t"}}},` + vaultOf(`"client_token":"((d:x))","path_prefix":"/kv1"`) + "]", "((v:password))", "of the pipeline", ""},
		{"vault, no certificate", "[" + vaultOf(`"client_token":"t","ca_cert":"x"`) + "]", "((v:password))", "", "ca_cert holds no certificate"},
		{"vault, unchecked TLS", "[" + vaultOf(`"client_token":"t","insecure_skip_verify":true`) + "]", "((v:password))", "", "not supported"},
		{"vault, not a web address", `[{"name":"v","type":"vault","config":{"url":"file:///etc","client_token":"t"}}]`, "((v:password))", "", "must begin with https://"},
		{"a config of another shape", `[{"name":"d","type":"dummy","config":["x"]}]`, "((d:x))", "", "its config cannot be read"},
		{"idtoken, other name", `[{"name":"i","type":"idtoken","config":{}}]`, "((i:other))", "", "undefined vars"},
		{"idtoken, other algorithm", `[{"name":"i","type":"idtoken","config":{"algorithm":"none"}}]`, "((i:token))", "", "neither RS256 nor ES256"},
		{"idtoken, too long", `[{"name":"i","type":"idtoken","config":{"expires_in":"25h"}}]`, "((i:token))", "", "at most 24h"},
		{"idtoken, unknown scope", `[{"name":"i","type":"idtoken","config":{"subject_scope":"world"}}]`, "((i:token))", "", "is not team, pipeline, instance or job"},
	} {
		var sources []pipeline.VarSource
		if err := json.Unmarshal([]byte(c.sources), &sources); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		lookup, err := w.ci.sourcedVars(t.Context(), build, sources)
		var got any
		if err == nil {
			got, err = vars.Interpolate(t.Context(), c.text, lookup)
		}
		switch {
		case c.fails == "" && (err != nil || got != c.want):
			t.Errorf("%s: %v %v, want %q", c.name, got, err, c.want)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: %v %v, want an error with %q", c.name, got, err, c.fails)
		}
	}
}

func TestVaultIsCalledThroughTheGuardOnly(t *testing.T) {
	t.Parallel()
	w := sourced(t)
	w.ci.deps.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("this address is inside")
	}
	sources := []pipeline.VarSource{{Name: "v", Type: "vault", Config: map[string]any{"url": fakeVault(t).URL, "client_token": "t"}}}
	lookup, err := w.ci.sourcedVars(t.Context(), engine.Build{TeamName: "main"}, sources)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vars.Interpolate(t.Context(), "((v:x))", lookup); err == nil || !strings.Contains(err.Error(), "this address is inside") || strings.Contains(err.Error(), `"t"`) {
		t.Fatal(err)
	}
}

// TestChecksUseVarSources resolves a saved pipeline's source, and hides its values.
func TestChecksUseVarSources(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.remote.publish("open-sesame", "1")
	w.remote.breaks("quite-secret", "no repository quite-secret here")
	id := w.set("p", `var_sources: [{name: d, type: dummy, config: {vars: {name: open-sesame, other: quite-secret}}}]
resources:
- {name: r, type: mock, source: {name: ((d:name))}}
- {name: b, type: mock, source: {name: ((d:other))}}
jobs: [{name: j, plan: [{get: r, trigger: true}, {get: b}]}]
`)
	var graph graphShape
	w.eventually("both are checked", func() bool {
		graph = must[graphShape](w, 200, "GET", "/api/v1/ci/pipelines/"+formatInt(id)+"/graph", "")
		return graph.Resources[0].CheckError != "" && graph.Resources[1].LastVersion["ref"] == "1"
	})
	if got := graph.Resources[0].CheckError; got != "no repository ((redacted)) here" {
		t.Fatal(got)
	}
}

func decode64(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestIDTokens verifies tokens as a cloud would: with nothing but the published keys.
func TestIDTokens(t *testing.T) {
	t.Parallel()
	w := sourced(t)
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	w.ci.deps.Now, w.ci.store.now = func() time.Time { return now }, func() time.Time { return now }
	build := engine.Build{TeamName: "main", PipelineName: "web/site", InstanceVars: pipeline.InstanceVars{"b": 1}, JobName: "unit"}
	for _, c := range []struct {
		algorithm, config, subject string
		life                       time.Duration
	}{
		{rs256, `{"audience":["sts.amazonaws.com"]}`, "main/web%2Fsite", time.Hour},
		{es256, `{"audience":["a","b"],"algorithm":"ES256","subject_scope":"job","expires_in":"5m"}`, "main/web%2Fsite/%7B%22b%22:1%7D/unit", 5 * time.Minute},
		{es256, `{"algorithm":"ES256","subject_scope":"team"}`, "main", time.Hour},
	} {
		var config any
		if err := json.Unmarshal([]byte(c.config), &config); err != nil {
			t.Fatal(err)
		}
		lookup, err := w.ci.sourcedVars(t.Context(), build, []pipeline.VarSource{{Name: "i", Type: "idtoken", Config: config}})
		if err != nil {
			t.Fatal(err)
		}
		token, err := vars.Interpolate(t.Context(), "((i:token))", lookup)
		if err != nil {
			t.Fatal(err)
		}
		claims := verify(t, w, token.(string), c.algorithm)
		if claims["sub"] != c.subject || claims["iss"] != "http://127.0.0.1:18080" || claims["team"] != "main" || claims["job"] != "unit" ||
			claims["exp"] != float64(now.Add(c.life).Unix()) || claims["iat"] != float64(now.Unix()) {
			t.Errorf("%s: %v", c.config, claims)
		}
	}
	if found := must[discovery](w, 200, "GET", "/.well-known/openid-configuration", "", as("")); found.Keys != "http://127.0.0.1:18080/.well-known/jwks.json" {
		t.Errorf("%+v", found)
	}
	var kept []string
	if err := w.db.Reader(t.Context()).Raw("SELECT algorithm FROM ci_signing_keys ORDER BY algorithm").Scan(&kept).Error; err != nil || len(kept) != 2 {
		t.Fatal(kept, err)
	}
}

func verify(t *testing.T, w *world, token, algorithm string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal(token)
	}
	var head struct{ Alg, Kid, Typ string }
	if err := json.Unmarshal(decode64(t, parts[0]), &head); err != nil || head.Alg != algorithm || head.Typ != "JWT" {
		t.Fatalf("%+v %v", head, err)
	}
	digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), decode64(t, parts[2])
	for _, key := range must[keySet](w, 200, "GET", "/.well-known/jwks.json", "", as("")).Keys {
		number := func(name string) *big.Int { return new(big.Int).SetBytes(decode64(t, key[name])) }
		switch {
		case key["kid"] != head.Kid:
			continue
		case key["kty"] == "RSA":
			if err := rsa.VerifyPKCS1v15(&rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}, crypto.SHA256, digest[:], signature); err != nil {
				t.Fatal(err)
			}
		case !ecdsa.Verify(&ecdsa.PublicKey{Curve: elliptic.P256(), X: number("x"), Y: number("y")}, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])):
			t.Fatal("the signature is not of the published key")
		}
		var claims map[string]any
		if err := json.Unmarshal(decode64(t, parts[1]), &claims); err != nil {
			t.Fatal(err)
		}
		return claims
	}
	t.Fatalf("the key %s is not published", head.Kid)
	return nil
}
