package policy

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden reads whole files; the article's is there as it was printed.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, found := Parse(text)
		if found.Bad() {
			t.Errorf("%s: %v", file, found)
		}
		got, err := json.MarshalIndent(struct {
			Policy   Policy
			Findings []string
		}{p, lines(found)}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".yaml") + ".json"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s differs from %s: %v\n%s", file, golden, err, got)
		}
		// What was read can be read again from its own JSON, which is YAML too.
		again, found := Parse(asYAML(t, p))
		if found.Bad() {
			t.Errorf("%s again: %v", file, found)
		}
		if first, second := asYAML(t, p), asYAML(t, again); string(first) != string(second) {
			t.Errorf("%s became\n%s\nthen\n%s", file, first, second)
		}
	}
}

func asYAML(t *testing.T, p Policy) []byte {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func lines(found Findings) []string {
	out := []string{}
	for _, f := range found {
		out = append(out, f.String())
	}
	return out
}

const head = "apiVersion: patchmgmt.io/v1\nkind: PatchPolicy\nmetadata: {name: p}\nspec:\n  bundleRef: {version: b1}\n  targets: {selector: {matchLabels: {role: edge}}}\n"

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "is empty"},
		{"a typo", head + "  schedul: {}\n", `line 7, column 3: spec.schedul: unknown key "schedul"; did you mean "schedule"?`},
		{"swapped letters", head + "  intsall: {}\n", `spec.intsall: unknown key "intsall"; did you mean "install"?`},
		{"another letter's case", head + "  rollback: {healthCheckURL: x}\n", `unknown key "healthCheckURL"; did you mean "healthCheckUrl"?`},
		{"an unknown word", head + "  frobnicate: 1\n", `unknown key "frobnicate"; known here: approval, bundleRef, install,`},
		{"twice", head + "  install: {timeout: 5m, timeout: 6m}\n", `the key "timeout" is there twice`},
		{"no YAML", head + "  install: {\n", "is no YAML"},
		{"two documents", head + "---\na: 1\n", "this is a second document"},
		{"an alias", head + "  install: &i {timeout: 5m}\n  rollback: *i\n", "aliases are not understood"},
		{"a merge", head + "  install: {<<: {timeout: 5m}}\n", "this key is not understood"},
		{"a list for an object", head + "  install: [1]\n", "spec.install: must have keys, not be a list"},
		{"an object for a list", head + "  schedule: {freeze: {from: 1}}\n", "must be a list, not keys and values"},
		{"an object for a value", head + "  schedule: {timezone: {a: b}}\n", "must be a single value, not keys and values"},
		{"a word for a number", head + "  approval: {required: two}\n", `"two" must be a whole number`},
		{"a text for a number", head + "  approval: {required: \"2\"}\n", `"2" must be a whole number`},
		{"a word for a yes", head + "  rollback: {enabled: maybe}\n", `"maybe" must be true or false`},
		{"another version", strings.Replace(head, "/v1", "/v2", 1), `apiVersion: "patchmgmt.io/v2" must be patchmgmt.io/v1`},
		{"another kind", strings.Replace(head, "PatchPolicy", "Policy", 1), `line 2, column 7: kind: "Policy" must be PatchPolicy`},
		{"no kind", strings.Replace(head, "kind: PatchPolicy\n", "", 1), `kind: is missing; write PatchPolicy`},
		{"a bad name", strings.Replace(head, "name: p", "name: Edge Fleet", 1), "metadata.name: must be 1 to 63"},
		{"no bundle", strings.Replace(head, "version: b1", "version: ''", 1), "spec.bundleRef.version: must be the id"},
		{"a bundle out of the folder", strings.Replace(head, "version: b1", "version: ../b", 1), "spec.bundleRef.version: must be the id"},
		{"another checksum", strings.Replace(head, "version: b1", "version: b1, checksum: 'md5:1'", 1), `must be "sha256:" and 64`},
		{"everybody", strings.Replace(head, "{matchLabels: {role: edge}}", "{}", 1), "names no label and so means every node"},
		{"an operator", strings.Replace(head, "matchLabels: {role: edge}", "matchExpressions: [{key: a, operator: Is}]", 1), `"Is" must be In or NotIn or Exists or DoesNotExist`},
		{"no key", strings.Replace(head, "matchLabels: {role: edge}", "matchExpressions: [{operator: Exists}]", 1), "matchExpressions[0].key: is missing"},
		{"no values", strings.Replace(head, "matchLabels: {role: edge}", "matchExpressions: [{key: a, operator: In}]", 1), "In needs at least one value"},
		{"values too many", strings.Replace(head, "matchLabels: {role: edge}", "matchExpressions: [{key: a, operator: Exists, values: [x]}]", 1), "Exists takes no values"},
		{"a zone", head + "  schedule: {timezone: Mars/Olympus}\n", `there is no time zone "Mars/Olympus"`},
		{"the server's zone", head + "  schedule: {timezone: Local}\n", `there is no time zone "Local"`},
		{"a window", head + "  schedule: {maintenanceWindow: 'Tue 02:00'}\n", `"02:00" are no hours`},
		{"a day", head + "  schedule: {maintenanceWindow: 'Die 02:00-04:00'}\n", `"die" is no day`},
		{"a window too short", head + "  schedule: {maintenanceWindow: 'Tue 02:00-02:20'}\n", "a window of 20m is shorter than spec.install.timeout, which is 30m"},
		{"a start too late", head + "  schedule: {maintenanceWindow: 'Tue 02:00-04:00', latestStart: 2h}\n", "leaves nothing of a window of 2h"},
		{"a deadline before the start", head + "  staging: {notBefore: 2026-01-02T00:00:00Z}\n  schedule: {deadline: 2026-01-01}\n", "is not after spec.staging.notBefore"},
		{"a freeze backwards", head + "  schedule: {freeze: [{from: 2026-01-02, to: 2026-01-01}]}\n", "spec.schedule.freeze[0].to: is not after from"},
		{"half a freeze", head + "  schedule: {freeze: [{from: 2026-01-02}]}\n", "needs from and to"},
		{"a severity", head + "  schedule: {freeze: [{from: 2026-01-02, to: 2026-01-03, allow: [bad]}]}\n", `"bad" must be critical or high`},
		{"a time", head + "  staging: {notBefore: tomorrow}\n", `"tomorrow" is neither a time`},
		{"hours", head + "  staging: {hours: '25:00-01:00'}\n", "are no hours"},
		{"a mode", head + "  staging: {mode: fast}\n", `"fast" must be delta-preferred or whole`},
		{"a negative speed", head + "  staging: {perNodeKBps: -1}\n", "must not be below 0"},
		{"a type", head + "  rolloutStrategy: {type: Blue}\n", `"Blue" must be RollingUpdate`},
		{"a batch of none", head + "  rolloutStrategy: {batchSize: 0}\n", "batchSize: must be at least 1"},
		{"a batch of nonsense", head + "  rolloutStrategy: {batchSize: many}\n", "neither a number of nodes nor a percentage"},
		{"a canary of none", head + "  rolloutStrategy: {canary: {count: 0}}\n", "needs a count or a number perVariant"},
		{"no canary", head + "  rolloutStrategy: {type: Canary}\n", "canary: is missing, and the type is Canary"},
		{"an exit", head + "  rolloutStrategy: {pauseOn: {anyExit: [0]}}\n", "pauseOn.anyExit[0]: must be from 1 to 12"},
		{"a rate", head + "  rolloutStrategy: {pauseOn: {failureRate: 2}}\n", `"2" is no percentage`},
		{"impatience", head + "  rolloutStrategy: {silentAfter: 5m}\n", "silentAfter: must be at least 10m"},
		{"a reboot", head + "  install: {reboot: maybe}\n", `"maybe" must be never or ifNeeded or always`},
		{"a long install", head + "  install: {timeout: 30d}\n", "timeout: must be from 1m to 24h"},
		{"a span", head + "  install: {timeout: 30}\n", `"30" is no duration`},
		{"a span of years", head + "  staging: {jitter: 99999h}\n", "is longer than a year"},
		{"another machine's health", head + "  rollback: {healthCheckUrl: 'http://10.0.0.1/'}\n", "must be on the node itself"},
		{"a name that begins so", head + "  rollback: {healthCheckUrl: 'http://localhost.evil.example/'}\n", "must be on the node itself"},
		{"credentials", head + "  rollback: {healthCheckUrl: 'http://localhost@evil.example/'}\n", "must be an http or https address"},
		{"a file", head + "  rollback: {healthCheckUrl: 'file:///etc/passwd'}\n", "must be an http or https address"},
		{"a program", head + "  rollback: {healthChecks: [{type: exec, path: ../pos}]}\n", "must be the whole path"},
		{"a unit", head + "  rollback: {healthChecks: [{type: unit, name: 'a b'}]}\n", "must be the name of a unit"},
		{"another's key", head + "  rollback: {healthChecks: [{type: unit, name: a, path: /x}]}\n", "belongs to checks of type exec"},
		{"approvals", head + "  approval: {required: 11}\n", "must be from 0 to 10"},
		{"too long", head + "#" + strings.Repeat("x", MaxSize), "is longer than 64 KiB"},
	} {
		_, found := Parse([]byte(c.text))
		if !found.Bad() || !strings.Contains(strings.Join(lines(found), "\n"), c.want) {
			t.Errorf("%s: want %q, got\n%s", c.name, c.want, strings.Join(lines(found), "\n"))
		}
	}
}

// TestAllMistakesAreTold: every mistake of a file is told, in the order of the text.
func TestAllMistakesAreTold(t *testing.T) {
	t.Parallel()
	_, found := Parse([]byte(head + "  approval: {required: 99}\n  install: {timeout: 0s, rebot: never}\n"))
	got := strings.Join(lines(found), "\n")
	for _, want := range []string{"line 7, column 24: spec.approval.required", "line 8, column 22: spec.install.timeout", `line 8, column 26: spec.install.rebot: unknown key "rebot"; did you mean "reboot"?`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(found) != 3 {
		t.Errorf("%d findings:\n%s", len(found), got)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"  rolloutStrategy: {type: AllAtOnce, canary: {count: 1}}\n", "  staging: {useRelay: true}\n", "  schedule: {latestStart: 5m}\n",
		"  rollback: {enabled: false, healthCheckUrl: 'http://[::1]:80/'}\n", "  rolloutStrategy: {pauseOn: {failureRate: 100%, anyExit: []}}\n"} {
		if _, found := Parse([]byte(head + text)); found.Bad() || len(found) == 0 {
			t.Errorf("%q: %v", text, found)
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	labels := map[string]string{"role": "till", "region": "us-east"}
	for _, c := range []struct {
		yaml string
		want bool
		says string
	}{
		{"{matchLabels: {role: till, region: us-east}}", true, "region=us-east, role=till"},
		{"{matchLabels: {role: till, region: us-west}}", false, "region=us-west, role=till"},
		{"{matchLabels: {floor: '1'}}", false, "floor=1"},
		{"{matchExpressions: [{key: role, operator: In, values: [till, kiosk]}]}", true, "role in (till, kiosk)"},
		{"{matchExpressions: [{key: role, operator: NotIn, values: [till]}]}", false, "role notin (till)"},
		{"{matchExpressions: [{key: floor, operator: NotIn, values: [a]}]}", true, "floor notin (a)"},
		{"{matchExpressions: [{key: role, operator: Exists}]}", true, "role"},
		{"{matchExpressions: [{key: role, operator: DoesNotExist}]}", false, "!role"},
		{"{matchLabels: {role: till}, matchExpressions: [{key: floor, operator: DoesNotExist}]}", true, "role=till, !floor"},
	} {
		p, found := Parse([]byte(strings.Replace(head, "{matchLabels: {role: edge}}", c.yaml, 1)))
		if s := p.Spec.Targets.Selector; found.Bad() || s.Matches(labels) != c.want || s.String() != c.says {
			t.Errorf("%s: %v %q %v", c.yaml, s.Matches(labels), s, found)
		}
	}
	if (Selector{}).String() != "every node" || !(Selector{}).Matches(nil) || (Requirement{Operator: "Is"}).holds(labels) {
		t.Error("the empty selector, or an unknown operator")
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text        string
		total, want int
	}{{"100", 10_000, 100}, {"5%", 1000, 50}, {"5%", 3, 1}, {"0.5%", 10_000, 50}, {"100%", 7, 7}, {"33%", 10, 4}, {"5%", 0, 1}} {
		var n Count
		if err := n.UnmarshalText([]byte(c.text)); err != nil || n.Of(c.total) != c.want {
			t.Errorf("%s of %d: %d %v", c.text, c.total, n.Of(c.total), err)
		}
	}
	two := Percent(200)
	if two.Exceeded(2, 100) || !two.Exceeded(3, 100) || Percent(0).Exceeded(0, 5) || !Percent(0).Exceeded(1, 500) {
		t.Error("a rate is exceeded by more than it")
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(head + "  schedule: {freeze: [{from: 2026-01-02, to: 2026-01-03}]}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, found := Parse(text)
		if found.Bad() {
			return
		}
		if _, err := json.Marshal(p); err != nil {
			t.Fatal(err)
		}
		if p.Metadata.Name == "" || p.Spec.RolloutStrategy.BatchSize.Of(10) < 1 {
			t.Fatalf("accepted %+v", p)
		}
	})
}
