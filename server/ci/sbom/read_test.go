package sbom_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/ci/sbom"
)

var update = flag.Bool("update", false, "write the golden files")

func samples(t testing.TB) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".golden") && !strings.Contains(path, "fuzz") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	return files
}

// TestGolden reads each sample; what is in it stands beside it.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, file := range samples(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			list, err := sbom.Read(file, bytes.NewReader(data))
			var got strings.Builder
			for _, c := range list {
				line, err := json.Marshal(c)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&got, "%s %s %s\n", c.FullName(), c.Scheme(), line)
			}
			fmt.Fprintf(&got, "error: %v\n", err)
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%swant\n%s", got.String(), want)
			}
		})
	}
}

// TestWhatIsWrittenIsRead holds for every sample: the list survives its own document.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	for _, file := range samples(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := sbom.Read(file, bytes.NewReader(data))
		if err != nil {
			continue
		}
		again := rewrite(t, list)
		if !reflect.DeepEqual(list, again) {
			t.Errorf("%s: %+v became %+v", file, list, again)
		}
	}
}

func rewrite(t *testing.T, list []sbom.Component) []sbom.Component {
	t.Helper()
	var out bytes.Buffer
	if err := sbom.WriteCycloneDX(&out, list); err != nil {
		t.Fatal(err)
	}
	again, err := sbom.Read("bom.json", &out)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestBounds(t *testing.T) {
	t.Parallel()
	many := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[` + strings.Repeat(`{"name":"a"},`, 2*sbom.MaxComponents+1) + `{"name":"b"}]}`
	long := strings.Repeat("ü", 10_000)
	deep := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":` + strings.Repeat(`[{"name":"a","components":`, 20_000)
	for name, tc := range map[string]struct {
		in   io.Reader
		want error
	}{
		"many":  {strings.NewReader(many), sbom.ErrTooMany},
		"deep":  {strings.NewReader(deep), sbom.ErrFormat},
		"large": {io.LimitReader(spaces{}, sbom.MaxBytes+10), sbom.ErrTooLarge},
	} {
		if _, err := sbom.Read("bom.json", tc.in); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := sbom.Read("bom.json", strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"`+long+`"}]}`))
	if err != nil || len(list) != 1 || len(list[0].Name) > 1024 || !utf8.ValidString(list[0].Name) {
		t.Error(len(list), err)
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"go.mod": true, "a/package-lock.json": true, "requirements-dev.txt": true, "var/lib/dpkg/status": true,
		"bom.json": false, "go.sum": false, "status.json": false, "requirements.in": false} {
		if sbom.Generated(name) != want {
			t.Error(name)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range samples(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Base(file), data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		list, err := sbom.Read(name, bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, c := range list {
			for _, text := range append([]string{c.Name, c.Group, c.Version, c.PURL, c.Type, c.FullName()}, c.Licenses...) {
				if !utf8.ValidString(text) || len(text) > 3<<10 {
					t.Errorf("%d bytes: %q", len(text), text)
				}
			}
			if c.Name == "" || c.Type == "" {
				t.Errorf("%+v", c)
			}
		}
		if again := rewrite(t, list); len(again) != len(list) {
			t.Errorf("%d components became %d", len(list), len(again))
		}
	})
}
