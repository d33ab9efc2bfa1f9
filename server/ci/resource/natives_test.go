package resource

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestNatives(t *testing.T) {
	t.Parallel()
	n := NewNatives(Options{})
	if got := strings.Join(n.Names(), " "); got != "git github-pull-request github-release github-webhook http mock patch-bundle registry-image s3 semver slack-notification time webhook" {
		t.Errorf("%s", got)
	}
	if _, ok := n.Native("ftp"); ok {
		t.Error("a type that is not there")
	}
}

func TestTimeCheck(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	const berlin = "Europe/Berlin"
	for _, c := range []struct {
		name     string
		source   map[string]any
		now      string
		previous string
		want     bool
	}{
		{"interval, first", map[string]any{"interval": "10m"}, "2026-01-05T12:00:00Z", "", true},
		{"interval, too early", map[string]any{"interval": "10m"}, "2026-01-05T12:00:00Z", "2026-01-05T11:50:01Z", false},
		{"interval, due", map[string]any{"interval": "10m"}, "2026-01-05T12:00:00Z", "2026-01-05T11:50:00Z", true},
		{"interval, the clock went back", map[string]any{"interval": "10m"}, "2026-01-05T12:00:00Z", "2026-01-05T13:00:00Z", false},
		{"wrong day", map[string]any{"interval": "10m", "days": []any{"Tuesday"}}, "2026-01-05T12:00:00Z", "", false},
		{"right day", map[string]any{"interval": "10m", "days": []any{"monday"}}, "2026-01-05T12:00:00Z", "", true},
		{"the day of the zone", map[string]any{"interval": "10m", "days": []any{"Tuesday"}, "location": berlin}, "2026-01-05T23:30:00Z", "", true},
		{"window, before", map[string]any{"start": "20:00", "stop": "21:00"}, "2026-01-05T19:59:59Z", "", false},
		{"window, in", map[string]any{"start": "8:00 PM", "stop": "9PM"}, "2026-01-05T20:00:00Z", "", true},
		{"window, once", map[string]any{"start": "20:00", "stop": "21:00"}, "2026-01-05T20:30:00Z", "2026-01-05T20:01:00Z", false},
		{"window, next day", map[string]any{"start": "20:00", "stop": "21:00"}, "2026-01-06T20:00:00Z", "2026-01-05T20:01:00Z", true},
		{"window, after", map[string]any{"start": "20:00", "stop": "21:00"}, "2026-01-05T21:00:00Z", "", false},
		{"window of a zone", map[string]any{"start": "20:00", "stop": "21:00", "location": berlin}, "2026-07-05T18:00:00Z", "", true},
		{"window with an offset", map[string]any{"start": "20:00 +0200", "stop": "21:00 +0200"}, "2026-01-05T18:10:00Z", "", true},
		{"over midnight, in", map[string]any{"start": "23:00", "stop": "1:00"}, "2026-01-06T00:30:00Z", "", true},
		{"over midnight, once", map[string]any{"start": "23:00", "stop": "1:00"}, "2026-01-06T00:30:00Z", "2026-01-05T23:10:00Z", false},
		{"over midnight belongs to its first day", map[string]any{"start": "23:00", "stop": "1:00", "days": []any{"Monday"}}, "2026-01-06T00:30:00Z", "", true},
		{"window and interval", map[string]any{"start": "20:00", "stop": "21:00", "interval": "15m"}, "2026-01-05T20:30:00Z", "2026-01-05T20:10:00Z", true},
		{"initial version", map[string]any{"start": "20:00", "stop": "21:00", "initial_version": true}, "2026-01-05T12:00:00Z", "", true},
		{"initial version, later", map[string]any{"start": "20:00", "stop": "21:00", "initial_version": true}, "2026-01-05T12:00:00Z", "2026-01-05T11:00:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			typ, _ := NewNatives(Options{Now: func() time.Time { return at(c.now) }}).Native("time")
			req := newRequest(nil, c.source, nil)
			want := ""
			if c.previous != "" {
				req.Version = Version{"time": c.previous}
				want = "time=" + c.previous
			}
			if c.want {
				want = strings.TrimSpace(want + " time=" + c.now)
			}
			got, err := typ.Check(t.Context(), req.Request)
			if err != nil || versions(got) != want {
				t.Errorf("%s, %v, want %s", versions(got), err, want)
			}
		})
	}
}

func TestTimeGetAndPut(t *testing.T) {
	t.Parallel()
	typ, _ := NewNatives(Options{Now: func() time.Time { return epoch.Add(123456789) }}).Native("time")
	s := newShelf()
	req := newRequest(s, map[string]any{"interval": "1m"}, nil)
	put, err := typ.Put(t.Context(), req.Request)
	if err != nil || put.Version["time"] != "2026-01-02T03:04:05.123456789Z" {
		t.Fatalf("%v %v", put, err)
	}
	req.Version = put.Version
	if _, err := typ.Get(t.Context(), req.Request); err != nil {
		t.Fatal(err)
	}
	files := exported(t, s, req.Dest)
	if files["timestamp"] != "2026-01-02T03:04:05.123456789Z\n" || files["epoch"] != "1767323045\n" ||
		files["input"] != `{"source":{"interval":"1m"},"version":{"time":"2026-01-02T03:04:05.123456789Z"}}` {
		t.Errorf("%q", files)
	}
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{nil, "source.interval is missing. Add it, or source.start and source.stop."},
		{map[string]any{"interval": "soon"}, `source.interval "soon" is not a duration`},
		{map[string]any{"start": "1:00"}, "source.start and source.stop go together"},
		{map[string]any{"start": "25:00", "stop": "1:00"}, `source.start "25:00" is not a time of day`},
		{map[string]any{"interval": "1m", "days": []any{"Noday"}}, `source.days has "Noday"`},
		{map[string]any{"interval": "1m", "location": "Moon/Base"}, "is not a time zone"},
	} {
		if _, err := typ.Check(t.Context(), newRequest(s, c.source, nil).Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.source, err)
		}
	}
}

func TestMockCheck(t *testing.T) {
	t.Parallel()
	typ, _ := NewNatives(Options{}).Native("mock")
	for _, c := range []struct {
		name      string
		source    map[string]any
		known     Version
		want, err string
		log       string
	}{
		{name: "first", want: "version=mock"},
		{name: "initial", source: map[string]any{"initial_version": "1"}, want: "version=1"},
		{name: "a number", source: map[string]any{"initial_version": 1.5}, want: "version=1.5"},
		{name: "none", source: map[string]any{"no_initial_version": true}},
		{name: "echo", known: Version{"version": "x"}, want: "version=x"},
		{name: "forced", source: map[string]any{"force_version": "f"}, known: Version{"version": "x"}, want: "version=f"},
		{name: "log", source: map[string]any{"log": "hello", "check_delay": "1ms"}, want: "version=mock", log: "hello\n"},
		{name: "failure", source: map[string]any{"check_failure": "boom"}, err: "exit status 1\n\nstderr:\nboom", log: "boom\n"},
		{name: "unknown", source: map[string]any{"zz": 1, "initial": "1"}, err: "source.initial is unknown. Remove it, or correct its spelling."},
		{name: "delay", source: map[string]any{"check_delay": "soon"}, err: `source.check_delay "soon" is not a duration`},
		{name: "type", source: map[string]any{"mirror_self": "perhaps"}, err: `source.mirror_self must be true or false, but is the string "perhaps"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(nil, c.source, nil)
			req.Version = c.known
			got, err := typ.Check(t.Context(), req.Request)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v", err)
				}
			} else if err != nil || versions(got) != c.want {
				t.Errorf("%s %v", versions(got), err)
			}
			if req.log.String() != c.log {
				t.Errorf("log %q", req.log)
			}
		})
	}
}

func TestMockGet(t *testing.T) {
	t.Parallel()
	typ, _ := NewNatives(Options{HostImageAllowed: true}).Native("mock")
	s := newShelf()
	req := newRequest(s, map[string]any{
		"mirror_self": true, "metadata": []any{map[string]any{"name": "a", "value": "b"}},
		"create_files": map[string]any{"task.yml": map[string]any{"platform": "linux"}, "x": "source"},
	}, map[string]any{"create_files_via_params": map[string]any{"dir/var": "START_VARnameEND_VAR", "x": "params"}})
	req.Version = Version{"version": "7"}
	got, err := typ.Get(t.Context(), req.Request)
	if err != nil || got.Version["version"] != "7" || len(got.Metadata) != 1 || req.log.String() != "fetching version: 7\n" {
		t.Fatalf("%v %v %s", got, err, req.log)
	}
	files := exported(t, s, req.Dest)
	for name, want := range map[string]string{
		"version": "7\n", "privileged": "false\n", "task.yml": `{"platform":"linux"}`, "x": "params",
		"dir/var": "((name))", "dir": "/", "rootfs": "/", "metadata.json": `{"env":["MIRRORED_VERSION=7"],"host":true,"user":"root"}`,
	} {
		if files[name] != want {
			t.Errorf("%s is %q, want %q", name, files[name], want)
		}
	}
	if !IsHostImage([]byte(files["metadata.json"])) || IsHostImage([]byte(`{"env":[]}`)) || IsHostImage([]byte("x")) {
		t.Error("the host image's marker")
	}
	outside := newRequest(s, map[string]any{"create_files": map[string]any{"../x": ""}}, nil)
	if _, err := typ.Get(t.Context(), outside.Request); err == nil || !strings.Contains(err.Error(), "leads out of its folder") {
		t.Errorf("%v", err)
	}
	forbidden, _ := NewNatives(Options{}).Native("mock")
	if _, err := forbidden.Get(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "does not allow") {
		t.Errorf("%v", err)
	}
}

func TestMockPut(t *testing.T) {
	t.Parallel()
	typ, _ := NewNatives(Options{}).Native("mock")
	s := newShelf()
	made := newRequest(s, map[string]any{"create_files": map[string]any{"sub/number": "42\n"}}, nil)
	made.Version = Version{"version": "1"}
	if _, err := typ.Get(t.Context(), made.Request); err != nil {
		t.Fatal(err)
	}
	req := newRequest(s, nil, map[string]any{"file": "in/sub/number", "print_env": true})
	req.Inputs, req.Env = []Input{{Name: "in", Volume: made.Dest}}, []string{"BUILD_NAME=2", "BUILD_ID=1"}
	got, err := typ.Put(t.Context(), req.Request)
	if err != nil || got.Version["version"] != "42" || req.log.String() != "BUILD_ID=1\nBUILD_NAME=2\npushing version: 42\n" {
		t.Errorf("%v %v %q", got, err, req.log)
	}
	for _, c := range []struct {
		params map[string]any
		words  string
	}{
		{nil, "params.version is missing"},
		{map[string]any{"ver": "1"}, "params.ver is unknown"},
		{map[string]any{"file": "other/x"}, `there is no input "other"`},
		{map[string]any{"file": "in/none"}, "file does not exist"},
	} {
		req.Params = c.params
		if _, err := typ.Put(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.params, err)
		}
	}
	var exit *ExitError
	if _, err := typ.Put(t.Context(), req.Request); !errors.As(err, &exit) || exit.Script != "out" {
		t.Errorf("%v", err)
	}
}
