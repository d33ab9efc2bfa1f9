package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func file(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "signalbox.yml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEnvironmentOverFileOverDefault(t *testing.T) {
	t.Setenv("SIGNALBOX_SERVER_LISTEN", "127.0.0.1:1")
	t.Setenv("SIGNALBOX_OUTBOUND_ALLOW", "10.0.0.1:80, git.lan")
	t.Setenv("SIGNALBOX_CI_HOST_IMAGE", "false")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
	c, err := Load(t.TempDir(), file(t, "server:\n  listen: :9\n  public_url: https://x.example/\nci:\n  max_containers: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Listen != "127.0.0.1:1" || c.Server.PublicURL != "https://x.example" || c.CI.MaxContainers != 3 || c.CI.HostImage ||
		!slices.Equal(c.Outbound.Allow, []string{"10.0.0.1:80", "git.lan"}) || c.Admin.User != "admin" || c.Telemetry.Endpoint != "http://collector:4318" || c.Telemetry.Sample != 1 ||
		!strings.HasSuffix(c.Database.URL, "/signalbox.db") {
		t.Fatalf("%+v", c)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, text := range map[string]string{
		"server.lisen":                       "server:\n  lisen: x\n",
		"server.tls_key go together":         "server:\n  tls_cert: a.pem\n",
		"smtp.tls":                           "smtp:\n  tls: maybe\n",
		"smtp.from":                          "smtp:\n  host: mail.example.com\n",
		"smtp.port":                          "smtp:\n  host: mail.example.com\n  port: 70000\n",
		"is not YAML":                        "server: [\n",
		"telemetry.sample":                   "telemetry:\n  sample: 2\n",
		"CI.MaxContainers":                   "ci:\n  max_containers: many\n",
		"read the configuration: open /none": "",
	} {
		path := file(t, text)
		if text == "" {
			path = "/none"
		}
		if _, err := Load(t.TempDir(), path); err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(name)) &&
			!strings.Contains(err.Error(), "max_containers") {
			t.Errorf("want an error about %q, got %v", name, err)
		}
	}
}

func TestEveryFieldIsInTheTable(t *testing.T) {
	known := map[string]bool{}
	for _, k := range Keys {
		known[k.Name] = true
		if !strings.Contains(Markdown(), "`"+k.Name+"`") || k.Meaning == "" {
			t.Errorf("%s is not documented", k.Name)
		}
	}
	c := reflect.TypeFor[Config]()
	n := 0
	for _, section := range reflect.VisibleFields(c) {
		if section.Type.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(section.Type) {
			n++
			if key := section.Tag.Get("koanf") + "." + f.Tag.Get("koanf"); !known[key] {
				t.Errorf("%s is missing from Keys", key)
			}
		}
	}
	if n != len(Keys) {
		t.Errorf("%d fields, %d keys", n, len(Keys))
	}
}
