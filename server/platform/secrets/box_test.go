package secrets

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	box := newBox([]key{newKey()})
	for _, plain := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("long"), 10000)} {
		sealed := box.Seal("table", "row", plain)
		got, err := box.Open("table", "row", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v", len(plain), err)
		}
		if bytes.Equal(sealed, box.Seal("table", "row", plain)) {
			t.Error("sealing twice gives the same")
		}
		if len(plain) > 16 && bytes.Contains(sealed, plain[:16]) { // a shorter one may be there by chance
			t.Error("the value is readable")
		}
	}
	sealed := box.Seal("table", "row", []byte("value"))
	for _, place := range [][2]string{{"table", "other"}, {"other", "row"}, {"tabl", "erow"}, {"tablerow", ""}, {"", "tablerow"}} {
		if _, err := box.Open(place[0], place[1], sealed); !errors.Is(err, ErrSealed) {
			t.Errorf("opened as %v: %v", place, err)
		}
	}
	if _, err := newBox([]key{newKey()}).Open("table", "row", sealed); !errors.Is(err, ErrSealed) || !strings.Contains(err.Error(), "lacks the key") {
		t.Errorf("opened with a strange key: %v", err)
	}
}

func TestEveryDamageIsNoticed(t *testing.T) {
	t.Parallel()
	box := newBox([]key{newKey()})
	sealed := box.Seal("t", "r", []byte("v"))
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if _, err := box.Open("t", "r", damaged); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := box.Open("t", "r", sealed[:i]); !errors.Is(err, ErrSealed) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	box := newBox([]key{newKey()})
	f.Add(box.Seal("t", "r", []byte("v"))[:60])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := box.Open("t", "other row", sealed); err == nil {
			t.Error("opened")
		}
	})
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "secrets.key")
	first, created, err := OpenBox(path)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	old := first.Seal("t", "r", []byte("old"))
	if err := AddKey(path); err != nil {
		t.Fatal(err)
	}
	second, created, err := OpenBox(path)
	if err != nil || created {
		t.Fatal(created, err)
	}
	if got, err := second.Open("t", "r", old); err != nil || string(got) != "old" {
		t.Errorf("after rotation: %q %v", got, err)
	}
	if second.Current(old) || !second.Knows(old) || !second.Current(second.Seal("t", "r", nil)) || first.Knows(second.Seal("t", "r", nil)) {
		t.Error("the newest key does not encrypt, or keys are not told apart")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenBox(path); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a readable key file: %v", err)
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	k := newKey()
	for text, want := range map[string]string{
		k.line():                            "",
		"# c\n\n" + k.line():                "",
		"":                                  "holds no key",
		"# only\n":                          "holds no key",
		k.line() + k.line():                 "repeats",
		"xyz\n":                             "line 1 is not a key",
		"\n" + k.line()[:40]:                "line 2 is not a key",
		strings.ToUpper("z") + k.line()[1:]: "line 1 is not a key",
		strings.Repeat("a", 100000):         "too long",
	} {
		_, err := parseKeys([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), k.line()[20:40]) {
			t.Error("the error shows the key")
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(keyFileHead + newKey().line()))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		if (err == nil) != (len(keys) > 0) {
			t.Error("neither keys nor an error")
		}
	})
}
