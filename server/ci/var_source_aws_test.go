package ci

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/vars"
)

// fakeAWS speaks the JSON protocol of both services.
func fakeAWS(t *testing.T) *httptest.Server {
	t.Helper()
	values := map[string]string{"/concourse/main/web/password": "of the pipeline", "/concourse/main/password": "of the team", "/concourse/main/team": "only of the team",
		"/common/shared": "of everybody", "/own/main/x": "by template", "/concourse/main/json": `{"user":"u","n":1}`}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Name, Path, SecretId string }
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &in) != nil || !strings.Contains(r.Header.Get("Authorization"), "Credential=AK/") {
			w.WriteHeader(400)
			io.WriteString(w, `{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`)
			return
		}
		answer := map[string]any{"__type": "ParameterNotFound"}
		switch action := r.Header.Get("X-Amz-Target"); {
		case action == "AmazonSSM.GetParametersByPath":
			list := []any{}
			if in.Path == "/concourse/main/web/login" {
				list = append(list, map[string]any{"Name": in.Path + "/user", "Value": "u"}, map[string]any{"Name": in.Path + "/password", "Value": "p"})
			}
			answer = map[string]any{"Parameters": list}
		case action == "AmazonSSM.GetParameter" && values[in.Name] != "":
			answer = map[string]any{"Parameter": map[string]any{"Name": in.Name, "Value": values[in.Name]}}
		case action == "secretsmanager.GetSecretValue" && values[in.SecretId] != "":
			answer = map[string]any{"Name": in.SecretId, "SecretString": values[in.SecretId]}
		case action == "secretsmanager.GetSecretValue":
			answer["__type"] = "ResourceNotFoundException"
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		if answer["__type"] != nil {
			w.WriteHeader(400)
		}
		w.Write([]byte(encode(answer)))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAWSVarSources(t *testing.T) {
	t.Parallel()
	w := sourced(t)
	server := fakeAWS(t)
	config := func(more string) string {
		return `{"region":"eu-central-1","access_key":"AK","secret_key":"SK","endpoint":"` + server.URL + `"` + more + `}`
	}
	for _, c := range []struct{ name, kind, config, text, want, fails string }{
		{"parameter of the pipeline", "ssm", config(""), "((s:password))", "of the pipeline", ""},
		{"parameter of the team", "ssm", config(""), "((s:team))", "only of the team", ""},
		{"shared parameter", "ssm", config(`,"shared_path":"/common/"`), "((s:shared))", "of everybody", ""},
		{"own template", "ssm", config(`,"team_secret_template":"/own/{{.Team}}/{{.Secret}}"`), "((s:x))", "by template", ""},
		{"parameters below a path", "ssm", config(""), "((s:login.user))", "u", ""},
		{"no parameter", "ssm", config(""), "((s:nope))", "", "undefined vars: s:nope"},
		{"secret of the pipeline", "secretsmanager", config(""), "((s:password))", "of the pipeline", ""},
		{"field of a secret", "secretsmanager", config(""), "((s:json.user))", "u", ""},
		{"no secret", "secretsmanager", config(""), "((s:nope))", "", "undefined vars: s:nope"},
		{"no region", "ssm", `{}`, "((s:x))", "", "it needs a region"},
		{"no keys", "secretsmanager", `{"region":"x"}`, "((s:x))", "", "are not lent to pipelines"},
		{"wrong keys", "ssm", `{"region":"x","access_key":"other","secret_key":"x","endpoint":"` + server.URL + `"}`, "((s:x))", "", "security token included in the request is invalid"},
		{"bad template", "ssm", config(`,"team_secret_template":"/x"`), "((s:x))", "", "must have {{.Secret}}"},
		{"bad endpoint", "ssm", `{"region":"x","access_key":"AK","secret_key":"x","endpoint":"file:///x"}`, "((s:x))", "", "the endpoint is not usable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lookup := &lazySource{open: nil}
			var parsed any
			if err := json.Unmarshal([]byte(c.config), &parsed); err != nil {
				t.Fatal(err)
			}
			opened, err := w.ci.openAWS(c.kind, engine.Build{TeamID: teamMain, TeamName: "main", PipelineName: "web"}, parsed)
			var got any
			if err == nil {
				lookup.opened = opened
				got, err = vars.Interpolate(t.Context(), c.text, vars.Sources{"s": lookup})
			}
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v, want %s", err, c.fails)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
