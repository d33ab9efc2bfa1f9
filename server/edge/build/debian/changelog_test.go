package debian_test

import (
	"strings"
	"testing"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

const changelog = `openssl (3.0.1-1+deb12u4) bookworm-security; urgency=high

  * DSA-5999-1: CVE-2026-0003 and CVE-2026-0004
  * CVE-2026-0001 again, the first try was not enough

 -- A <a@b>  Mon, 16 Nov 2026 10:00:00 +0000

openssl (3.0.1-1+deb12u3) bookworm-security; urgency=medium

  * Fix CVE-2026-0001, (CVE-2026-0002)

 -- A <a@b>  Mon, 02 Nov 2026 10:00:00 +0000

openssl (3.0.1-1+deb12u2) bookworm; urgency=medium

  * CVE-2025-9999

 -- A <a@b>  Mon, 02 Feb 2026 10:00:00 +0000
`

func TestFixes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ after, upTo, want string }{
		{"3.0.1-1+deb12u2", "3.0.1-1+deb12u4", "CVE-2026-0001@3.0.1-1+deb12u3 CVE-2026-0002@3.0.1-1+deb12u3 CVE-2026-0003@3.0.1-1+deb12u4/DSA-5999-1 CVE-2026-0004@3.0.1-1+deb12u4/DSA-5999-1"},
		{"3.0.1-1+deb12u3", "3.0.1-1+deb12u4", "CVE-2026-0001@3.0.1-1+deb12u4/DSA-5999-1 CVE-2026-0003@3.0.1-1+deb12u4/DSA-5999-1 CVE-2026-0004@3.0.1-1+deb12u4/DSA-5999-1"},
		{"3.0.1-1+deb12u2", "3.0.1-1+deb12u3", "CVE-2026-0001@3.0.1-1+deb12u3 CVE-2026-0002@3.0.1-1+deb12u3"},
		{"3.0.1-1+deb12u4", "3.0.1-1+deb12u4", ""},
	} {
		got, err := debian.ReadFixes(strings.NewReader(changelog), c.after, c.upTo)
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, f := range got {
			word := f.CVE + "@" + f.Version
			if f.Advisory != "" {
				word += "/" + f.Advisory
			}
			words = append(words, word)
		}
		if text := strings.Join(words, " "); text != c.want {
			t.Errorf("%s to %s:\ngot  %s\nwant %s", c.after, c.upTo, text, c.want)
		}
	}
	if debian.SourceVersion("1.0-1+b12") != "1.0-1" || debian.SourceVersion("1.0-1+deb12u1") != "1.0-1+deb12u1" {
		t.Error("the mark of a rebuild")
	}
}

func FuzzFixes(f *testing.F) {
	f.Add(changelog, "1", "9")
	f.Fuzz(func(t *testing.T, text, after, upTo string) {
		list, _ := debian.ReadFixes(strings.NewReader(text), after, upTo)
		for _, fix := range list {
			if debian.Compare(fix.Version, after) <= 0 || debian.Compare(fix.Version, upTo) > 0 {
				t.Errorf("%+v is not between %q and %q", fix, after, upTo)
			}
		}
	})
}
