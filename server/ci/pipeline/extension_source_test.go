package pipeline

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestExtensionSurvivesFly(t *testing.T) {
	t.Parallel()
	const rest = "\njobs: [{name: a, plan: [{get: r}]}]\nresources: [{name: r, type: time, source: {interval: 1h}}]\n"
	const body = "{jobs: {a: {inputs: [{name: v, default: '1.0'}, {name: b, type: bool, default: true}], artifacts: [{path: d/*.tgz, keep: 24h}], cancel_superseded: true}}}"
	asKey := mustParse(t, "signalbox: "+body+rest+"var_sources: [{name: other, type: dummy, config: {vars: {a: b}}}]")
	asSource := mustParse(t, "var_sources: [{name: other, type: dummy, config: {vars: {a: b}}}, {name: signalbox, type: dummy, config: {vars: "+body+"}}]"+rest)
	if !reflect.DeepEqual(asKey, asSource) {
		t.Errorf("as a key %+v\nas a var source %+v", asKey, asSource)
	}
	sent, err := json.Marshal(asKey.ForFly())
	if err != nil || strings.Contains(string(sent), `"signalbox":`) || !strings.Contains(string(sent), `"name":"signalbox"`) {
		t.Fatalf("%s %v", sent, err)
	}
	if again := mustParse(t, string(sent)); !reflect.DeepEqual(again, asKey) {
		t.Errorf("after fly %+v\nbefore %+v", again, asKey)
	}
	if len(asKey.VarSources) != 1 || asKey.Signalbox == nil {
		t.Errorf("ForFly changed its receiver: %+v", asKey)
	}
	if plain := mustParse(t, rest); !reflect.DeepEqual(plain, plain.ForFly()) {
		t.Error("a pipeline without the extension changed")
	}
}

func TestExtensionSourceRefused(t *testing.T) {
	t.Parallel()
	if _, err := Parse([]byte("signalbox: {jobs: {}}\nvar_sources: [{name: signalbox, type: dummy, config: {vars: {}}}]")); err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("given twice: %v", err)
	}
	if _, err := Parse([]byte("var_sources: [{name: signalbox, type: dummy, config: [1]}]")); err == nil || !strings.Contains(err.Error(), "var_sources.signalbox.config") {
		t.Errorf("a list: %v", err)
	}
	odd := mustParse(t, "jobs: [{name: a, plan: [{get: r}]}]\nresources: [{name: r, type: time}]\nvar_sources: [{name: signalbox, type: dummy, config: {vars: {jobs: {b: {odd: 1}}}}}]")
	r := &report{}
	odd.checkExtension(r)
	if text := strings.Join(r.errors, "\n"); !strings.Contains(text, "unknown job 'b'") || !strings.Contains(text, "odd") {
		t.Errorf("mistakes: %s", text)
	}
	vault := mustParse(t, "var_sources: [{name: signalbox, type: vault, config: {url: x}}]")
	if vault.Signalbox != nil || len(vault.VarSources) != 1 {
		t.Errorf("a vault of that name: %+v", vault)
	}
}
