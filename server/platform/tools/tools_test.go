package tools

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

type page struct {
	Limit int `json:"limit,omitempty" doc:"At most so many."`
}

type listIn struct {
	page
	Team   string            `json:"team" doc:"Name of the team."`
	State  string            `json:"state,omitempty" enum:"running,done"`
	Labels map[string]string `json:"labels,omitempty"`
	Since  *time.Time        `json:"since,omitempty"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	Nested []struct {
		Ratio float64 `json:"ratio"`
		On    bool
	} `json:"nested,omitempty"`
	Hidden string `json:"-"`
}

type listOut struct {
	Names []string `json:"names"`
	Any   any      `json:"any"`
}

func list(_ context.Context, in listIn) (listOut, error) {
	if in.State == "done" {
		return listOut{}, errors.New("broken")
	}
	return listOut{Names: []string{in.Team, in.State}}, nil
}

func buildList() Tool {
	return New(Spec{Name: "ci_build_list", Title: "List builds", Description: "Lists builds.", Class: ReadOnly, Level: identity.Read}, list)
}

func TestSchemaGolden(t *testing.T) {
	t.Parallel()
	tool := buildList()
	got, err := json.MarshalIndent(map[string]*Schema{"in": tool.In, "out": tool.Out}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/schema.golden.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(want)) != string(got) {
		t.Errorf("%v\n%s", err, got)
	}
}

type recursive struct {
	Children []recursive `json:"children"`
}

func TestTypesWithoutSchema(t *testing.T) {
	t.Parallel()
	for _, v := range []any{recursive{}, make(chan int), struct{ F func() }{}} {
		if _, err := SchemaOf(reflect.TypeOf(v)); err == nil {
			t.Errorf("%T has a schema", v)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("New takes an input that is no object")
		}
	}()
	New(Spec{Name: "ci_x_y"}, func(context.Context, string) (string, error) { return "", nil })
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Tool){
		"short name":       func(t *Tool) { t.Name = "ci_list" },
		"capital":          func(t *Tool) { t.Name = "ci_Build_list" },
		"dash":             func(t *Tool) { t.Name = "ci_build-list_x" },
		"strange first":    func(t *Tool) { t.Name, t.Scope.Capability = "cake_slice_eat", "cake" },
		"other capability": func(t *Tool) { t.Scope.Capability = "logs" },
		"too long":         func(t *Tool) { t.Name = "ci_build_" + strings.Repeat("x", 60) },
		"no level":         func(t *Tool) { t.Scope.Level = 0 },
		"class":            func(t *Tool) { t.Class = "evil" },
		"writing reader":   func(t *Tool) { t.Class = Write },
		"no title":         func(t *Tool) { t.Title = "" },
		"no run":           func(t *Tool) { t.Run = nil },
		"array in":         func(t *Tool) { t.In = &Schema{Type: "array"} },
	} {
		tool := buildList()
		spoil(&tool)
		if NewRegistry().Register(tool) == nil {
			t.Errorf("%s is registered", name)
		}
	}
	r := NewRegistry()
	if err := r.Register(buildList()); err != nil {
		t.Fatal(err)
	}
	if r.Register(buildList()) == nil {
		t.Error("a name is registered twice")
	}
}

func caller(role identity.Role, scopes ...string) identity.Caller {
	return identity.Caller{UserID: 1, Roles: map[int64]identity.Role{1: role}, Teams: map[string]identity.Team{"main": {ID: 1, Name: "main"}}, Scopes: scopes}
}

func registry(t *testing.T) *Registry {
	t.Helper()
	r := NewRegistry()
	if err := r.Register(buildList(),
		New(Spec{Name: "ci_build_abort", Title: "Abort", Description: "Aborts.", Class: Destructive, Level: identity.Operate}, list),
		New(Spec{Name: "logs_line_search", Title: "Search", Description: "Searches.", Class: ReadOnly, Level: identity.Read}, list)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestListFollowsScopes(t *testing.T) {
	t.Parallel()
	r := registry(t)
	for _, c := range []struct {
		caller identity.Caller
		want   string
	}{
		{identity.Caller{}, ""}, {caller(identity.Viewer), "ci_build_list logs_line_search"}, {caller(identity.Operator), "ci_build_abort ci_build_list logs_line_search"},
		{caller(identity.Owner, "logs:read"), "logs_line_search"}, {caller(identity.Owner, "ci:write"), "ci_build_abort ci_build_list"},
	} {
		var names []string
		for _, tool := range r.List(c.caller) {
			names = append(names, tool.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%+v: %s", c.caller, got)
		}
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	r := registry(t)
	for _, c := range []struct {
		caller   identity.Caller
		tool, in string
		kind     problem.Kind
		contains string
	}{
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","state":"running","limit":3,"since":null,"nested":[{"ratio":0.5,"On":true}],"labels":{"a":"b"}}`, "", `["main","running"]`},
		{identity.Caller{}, "ci_build_list", `{"team":"main"}`, problem.Unauthorized, ""},
		{caller(identity.Viewer), "ci_build_abort", `{"team":"main"}`, problem.NotFound, "ci_build_abort"},
		{caller(identity.Viewer), "ci_nothing_do", `{}`, problem.NotFound, "ci_nothing_do"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"other"}`, problem.NotFound, "other"},
		{caller(identity.Viewer), "ci_build_list", ``, problem.Invalid, "team: is missing"},
		{caller(identity.Viewer), "ci_build_list", `{"team":1}`, problem.Invalid, "team: is a number"},
		{caller(identity.Viewer), "ci_build_list", `{"team":null}`, problem.Invalid, "team: is null"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","state":"odd"}`, problem.Invalid, "running, done"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","limit":1.5}`, problem.Invalid, "limit"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","limit":99999999999999999999}`, problem.Invalid, ""},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","limit":"1","labels":[],"nested":{}}`, problem.Invalid, "2 more"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","nested":[{"ratio":true}]}`, problem.Invalid, "nested[0].On"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","Hidden":"x"}`, problem.Invalid, "Hidden"},
		{caller(identity.Viewer), "ci_build_list", `[]`, problem.Invalid, "input"},
		{caller(identity.Viewer), "ci_build_list", `{"team":`, problem.Invalid, "JSON"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main"} {}`, problem.Invalid, "more"},
		{caller(identity.Viewer), "ci_build_list", `{"team":"main","state":"done"}`, problem.Internal, "broken"},
	} {
		out, err := r.Call(identity.With(t.Context(), c.caller), c.tool, json.RawMessage(c.in))
		if c.kind == "" {
			if err != nil || !strings.Contains(string(out), c.contains) {
				t.Errorf("%s %s: %s %v", c.tool, c.in, out, err)
			}
		} else if err == nil || problem.From(err).Kind != c.kind || !strings.Contains(err.Error(), c.contains) {
			t.Errorf("%s %s: %v, want %s", c.tool, c.in, err, c.kind)
		}
	}
}

func FuzzCall(f *testing.F) {
	r := NewRegistry()
	if err := r.Register(buildList()); err != nil {
		f.Fatal(err)
	}
	f.Add(`{"team":"main","nested":[{"ratio":1}]}`)
	f.Add(`[[[[`)
	f.Fuzz(func(t *testing.T, in string) {
		_, err := r.Call(identity.With(context.Background(), caller(identity.Viewer)), "ci_build_list", json.RawMessage(in))
		if err != nil && problem.From(err).Kind == problem.Internal && err.Error() != "broken" {
			t.Error(err)
		}
	})
}
