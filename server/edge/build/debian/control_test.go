package debian_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

func TestStanzas(t *testing.T) {
	t.Parallel()
	text := "# a comment\nPackage: a\nDescription: short\n long\n .\n more\nVersion:1\n\n\n\nPackage: b\n"
	var got []debian.Stanza
	if err := debian.EachStanza(strings.NewReader(text), nil, func(s debian.Stanza) error {
		got = append(got, s)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Get("description") != "short\n long\n .\n more" || got[0].Get("Version") != "1" || got[1].Get("Package") != "b" {
		t.Errorf("got %q", got)
	}
	if out := got[0].With("Size", "3").String(); out != "Package: a\nDescription: short\n long\n .\n more\nVersion: 1\nSize: 3\n" {
		t.Errorf("written: %q", out)
	}
	for bad, why := range map[string]string{" x\n": "no field before", "Package\n": "not a field", "Pack age: x\n": "not a field", "A: " + strings.Repeat("x", 2<<20): "too long"} {
		err := debian.EachStanza(strings.NewReader(bad), nil, func(debian.Stanza) error { return nil })
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.20q: %v, want %s", bad, err, why)
		}
	}
}

func TestRelations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "[]", "a": "[a]", "a, b ": "[a b]", "a (>= 1.0) | b:any": "[a (>= 1.0) | b]", "a(<<2)": "[a (<< 2)]", "a (= 1:2-3) [amd64] <!nocheck>": "[a (= 1:2-3)]",
		"a (< 2)": "[a (<= 2)]", "a (> 2)": "[a (>= 2)]", "\n a,\n b": "[a b]",
	} {
		got, err := debian.ParseRelations(text)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{"a (", "a (1)", "a (=> 1)", "a b", "| a", "(>= 1)"} {
		if got, err := debian.ParseRelations(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

func TestPackages(t *testing.T) {
	t.Parallel()
	const entry = "Package: libssl3\nSource: openssl (3.0.1-1)\nVersion: 3.0.1-1+b2\nArchitecture: amd64\nMulti-Arch: same\nDepends: libc6 (>= 2.34)\nFilename: pool/o/libssl3.deb\nSize: 12\nInstalled-Size: 6\nSHA256: "
	sha := strings.Repeat("aB", 32)
	got, err := debian.ReadPackages(strings.NewReader(entry + sha + "\n"))
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	o := got[0]
	if o.Source != "openssl" || o.SourceVersion != "3.0.1-1" || o.SHA256 != strings.ToLower(sha) || o.Size != 12 || o.InstalledSize != 6<<10 || o.Shared || len(o.Requires) != 1 {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{entry + "xx\n", strings.Replace(entry, "Size: 12", "Size: -1", 1) + sha + "\n", "Package: a\n", strings.Replace(entry, "(>= 2.34)", "(>= ", 1) + sha + "\n"} {
		if _, err := debian.ReadPackages(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	text := `Package: a
Status: install ok installed
Version: 1
Architecture: amd64
Source: aa

Package: b
Status: hold ok installed
Version: 1
Architecture: all

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: amd64

Package: half
Status: install ok half-configured
Version: 1
Architecture: amd64
`
	st, err := debian.ReadStatus(strings.NewReader(text))
	if err != nil || len(st.Installed) != 3 || !st.Held["b"] || st.Held["a"] || fmt.Sprint(st.Broken) != "[half]" || st.Sources["a"] != [2]string{"aa", "1"} {
		t.Errorf("%+v %v", st, err)
	}
	for _, bad := range []string{"", "Package: a\nVersion: 1\n", "rubbish"} {
		if _, err := debian.ReadStatus(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read as a status file", bad)
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	text := "Label: Debian-Security\nSuite: oldstable-security\nDate: Wed, 18 Nov 2026 22:17:41 UTC\nValid-Until: Wed, 25 Nov 2026 22:17:41 UTC\nSHA256:\n " + strings.Repeat("a1", 32) + " 20 main/binary-amd64/Packages.xz\n"
	r, err := debian.ReadRelease(text)
	if err != nil || !r.Security() || r.Files["main/binary-amd64/Packages.xz"].Size != 20 || !r.Date.Equal(time.Date(2026, 11, 18, 22, 17, 41, 0, time.UTC)) || r.ValidUntil.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
	for _, bad := range []string{"Date: yesterday\n", "Label: x\n", strings.Replace(text, "a1", "zz", 1), strings.Replace(text, " 20 ", " ", 1)} {
		if _, err := debian.ReadRelease(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
	for label, want := range map[string]bool{"Suite: noble-security": true, "Codename: bookworm-security": true, "Suite: bookworm": false, "Label: Ubuntu": false} {
		r, err := debian.ReadRelease(label + "\nDate: Wed, 18 Nov 2026 22:17:41 UTC\n")
		if err != nil || r.Security() != want {
			t.Errorf("%s: %v %v", label, r.Security(), err)
		}
	}
}

func FuzzPackages(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nFilename: x\nSize: 1\nSHA256: " + strings.Repeat("00", 32) + "\nDepends: b (>= 1) | c\n")
	f.Fuzz(func(t *testing.T, text string) {
		offers, err := debian.ReadPackages(strings.NewReader(text))
		for _, o := range offers {
			if err == nil && (o.Name == "" || o.Version == "" || len(o.SHA256) != 64 || o.Size < 0) {
				t.Errorf("%+v", o)
			}
		}
		_, _ = debian.ReadStatus(strings.NewReader(text))
		_, _ = debian.ReadRelease(text)
	})
}
