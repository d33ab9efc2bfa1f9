package redhat_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/redhat"
)

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const primary = `<?xml version="1.0"?><metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
<package type="rpm"><name>openssl-libs</name><arch>x86_64</arch><version epoch="1" ver="3.0.7" rel="28.el9_4"/><checksum type="sha256" pkgid="YES">%s</checksum>
<size package="100" installed="300" archive="1"/><location href="Packages/o/openssl-libs.rpm"/><format><rpm:sourcerpm>openssl-3.0.7-28.el9_4.src.rpm</rpm:sourcerpm>
<rpm:provides><rpm:entry name="libssl.so.3()(64bit)"/><rpm:entry name="openssl-libs" flags="EQ" epoch="1" ver="3.0.7" rel="28.el9_4"/></rpm:provides>
<rpm:requires><rpm:entry name="/bin/sh" pre="1"/><rpm:entry name="(a if b)"/><rpm:entry name="glibc" flags="GE" epoch="0" ver="2.34"/></rpm:requires>
<rpm:obsoletes><rpm:entry name="compat-openssl" flags="LT" epoch="0" ver="2"/></rpm:obsoletes><file>/usr/bin/x</file></format></package>
<package type="rpm"><name>openssl</name><arch>src</arch></package></metadata>`

func TestReadPrimary(t *testing.T) {
	t.Parallel()
	offers, err := redhat.ReadPrimary(strings.NewReader(fmt.Sprintf(primary, strings.Repeat("ab", 32))))
	if err != nil || len(offers) != 1 {
		t.Fatal(offers, err)
	}
	o := offers[0]
	if o.Version != "1:3.0.7-28.el9_4" || o.Source != "openssl" || o.InstalledSize != 300 || fmt.Sprint(o.Requires) != "[/bin/sh glibc (>= 2.34)]" ||
		fmt.Sprint(o.Provides) != "[{libssl.so.3()(64bit) } {openssl-libs 1:3.0.7-28.el9_4} {/usr/bin/x }]" || fmt.Sprint(o.Conflicts) != "[compat-openssl (<< 2)]" || !o.Conflicts[0].NameOnly {
		t.Errorf("%+v", o)
	}
	for _, bad := range []string{fmt.Sprintf(primary, "00"), "<metadata><package><name>x</name></package></metadata>", "<metadata><package>"} {
		if _, err := redhat.ReadPrimary(strings.NewReader(bad)); err == nil {
			t.Errorf("%.60q was read", bad)
		}
	}
}

func TestReadIndex(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "<repomd/>", `<repomd><data type="primary"><checksum type="sha">00</checksum><location href="x"/><size>1</size></data></repomd>`} {
		if _, err := redhat.ReadIndex([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestReadAdvisories(t *testing.T) {
	t.Parallel()
	text := `<updates><update type="security"><id>RLSA-2026:1</id><severity>Important</severity>
<references><reference type="cve" id="CVE-2026-0001" title="x"/><reference type="bugzilla" id="7" title="CVE-2026-0002 y"/></references>
<pkglist><collection><package name="openssl-libs" epoch="1" version="3.0.7" release="28.el9" arch="x86_64" src="openssl-3.0.7-28.el9.src.rpm"/>
<package name="openssl" epoch="1" version="3.0.7" release="28.el9" arch="x86_64" src="openssl-3.0.7-28.el9.src.rpm"/></collection></pkglist></update>
<update type="bugfix"><id>RLBA-2026:2</id><references><reference id="CVE-2026-0003"/></references><pkglist><collection><package name="a" version="1" release="1" arch="noarch"/></collection></pkglist></update></updates>`
	got, err := redhat.ReadAdvisories(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{CVE-2026-0001 openssl 1:3.0.7-28.el9 RLSA-2026:1 important} {CVE-2026-0002 openssl 1:3.0.7-28.el9 RLSA-2026:1 important}]"
	if fmt.Sprint(got.Fixes) != want || len(got.Security) != 2 || !got.Security["openssl-1:3.0.7-28.el9.x86_64"] {
		t.Errorf("%+v", got)
	}
}

func TestSourceName(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"openssl-3.0.7-28.el9.src.rpm": "openssl", "a-b-1-2.src.rpm": "a-b", "": "own", "(none)": "own"} {
		if got := redhat.SourceName(file, "own"); got != want {
			t.Errorf("%q: %s", file, got)
		}
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(fmt.Sprintf(primary, strings.Repeat("ab", 32)))
	f.Fuzz(func(t *testing.T, text string) {
		offers, err := redhat.ReadPrimary(strings.NewReader(text))
		for _, o := range offers {
			if err == nil && (o.Name == "" || o.Size <= 0 || len(o.SHA256) != 64) {
				t.Errorf("%+v", o)
			}
		}
		_, _ = redhat.ReadAdvisories(strings.NewReader(text))
		_, _ = redhat.ReadIndex([]byte(text))
	})
}
