package debian_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/signalbox/signalbox/server/edge/build/debian"
)

func newKey(t *testing.T) (*debian.RepoKey, debian.Keys) {
	t.Helper()
	text, err := debian.NewRepoKey("test")
	if err != nil {
		t.Fatal(err)
	}
	key, err := debian.ReadRepoKey(text)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := debian.ReadKeys(public)
	if err != nil {
		t.Fatal(err)
	}
	return key, ring
}

func TestInRelease(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	key, ring := newKey(t)
	_, others := newKey(t)
	packages := debian.WritePackages(nil)
	release := debian.WriteRelease("bookworm", "amd64", "b-1", at, packages)
	signed, err := key.InRelease(release, at)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := key.InRelease(release, at); err != nil || !bytes.Equal(signed, again) {
		t.Error("the same release was signed to other bytes:", err)
	}
	text, err := debian.VerifyInRelease(signed, ring, at)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := debian.ReadRelease(text); err != nil || r.Files["Packages"].Size != int64(len(packages)) || !r.Date.Equal(at) || !r.ValidUntil.IsZero() {
		t.Errorf("%+v %v", r, err)
	}
	if plain, err := debian.Unwrap(signed); err != nil || plain != text {
		t.Errorf("%q %v", plain, err)
	}
	if _, err := debian.VerifyInRelease(signed, append(others, ring...), at); err != nil {
		t.Error("one of several keys:", err)
	}
	for name, bad := range map[string][]byte{
		"changed":  bytes.Replace(signed, []byte("b-1"), []byte("b-2"), 1),
		"unsigned": release,
		"more":     append(bytes.Clone(signed), "Package: x\n"...),
	} {
		if _, err := debian.VerifyInRelease(bad, ring, at); err == nil {
			t.Error(name, "was believed")
		}
	}
	if _, err := debian.VerifyInRelease(signed, others, at); err == nil {
		t.Error("a foreign key was believed")
	}
}

func TestDetached(t *testing.T) {
	t.Parallel()
	at := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC) // before the key's birthday
	key, ring := newKey(t)
	_, others := newKey(t)
	signature, err := key.Detached([]byte("text"), at)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := debian.VerifyDetached([]byte("text"), signature, ring, now); err != nil {
		t.Error(err)
	}
	if debian.VerifyDetached([]byte("texT"), signature, ring, now) == nil || debian.VerifyDetached([]byte("text"), signature, others, now) == nil ||
		debian.VerifyDetached([]byte("text"), []byte("-----BEGIN PGP rubbish"), ring, now) == nil {
		t.Error("a wrong signature was believed")
	}
}

func TestWritePackages(t *testing.T) {
	t.Parallel()
	a := debian.Entry{Control: debian.Stanza{{Name: "Package", Value: "a"}, {Name: "Version", Value: "1"}}, Path: "pool/a_1_all.deb", Size: 3, SHA256: strings.Repeat("a", 64)}
	b := a
	b.Control, b.Path = debian.Stanza{{Name: "Package", Value: "b"}, {Name: "Size", Value: "9"}}, "pool/b_1_all.deb"
	one, two := debian.WritePackages([]debian.Entry{a, b}), debian.WritePackages([]debian.Entry{b, a})
	want := "Package: a\nVersion: 1\nFilename: pool/a_1_all.deb\nSize: 3\nSHA256: " + a.SHA256 + "\n\nPackage: b\nSize: 3\nFilename: pool/b_1_all.deb\nSHA256: " + a.SHA256 + "\n\n"
	if string(one) != want || !bytes.Equal(one, two) {
		t.Errorf("got\n%s", one)
	}
}
