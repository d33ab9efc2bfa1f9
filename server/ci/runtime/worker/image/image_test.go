package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(text, "->"); ok {
			if err := os.Symlink(target, at); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindUser(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbroken\nbig:x:70000:1::/:\napp:x:42:43::/home/app:/bin/sh\n",
		"etc/group":  "root:x:0:\napp:x:43:app\ndocker:x:44:other,app\nother:x:45:\n",
	})
	bare := tree(t, map[string]string{"bin/x": ""})
	trap := tree(t, map[string]string{"etc/passwd": "->/etc/passwd"})
	tests := []struct {
		dir, who string
		want     User
		err      string
	}{
		{dir, "", User{Home: "/root"}, ""},
		{dir, "app", User{UID: 42, GID: 43, Groups: []uint32{44}, Home: "/home/app"}, ""},
		{dir, "42", User{UID: 42, GID: 43, Groups: []uint32{44}, Home: "/home/app"}, ""},
		{dir, "app:other", User{UID: 42, GID: 45, Home: "/home/app"}, ""},
		{dir, "7:8", User{UID: 7, GID: 8, Home: "/"}, ""},
		{dir, "big", User{}, "no user"},
		{dir, "70000", User{}, "no user"},
		{dir, "-1", User{}, "no user"},
		{dir, "app:nobody", User{}, "no group"},
		{bare, "", User{Home: "/root"}, ""},
		{bare, "1000", User{UID: 1000, Home: "/"}, ""},
		{trap, "", User{}, "escapes"},
	}
	for _, tc := range tests {
		got, err := FindUser(tc.dir, tc.who)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%q: got %v, want %q", tc.who, err, tc.err)
			}
			continue
		}
		if err != nil || got.UID != tc.want.UID || got.GID != tc.want.GID || got.Home != tc.want.Home || !slices.Equal(got.Groups, tc.want.Groups) {
			t.Errorf("%q: got %+v, %v", tc.who, got, err)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	full := tree(t, map[string]string{"rootfs/x": "", "metadata.json": `{"env":["A=1"],"user":"app","cmd":["b"],"entrypoint":["a"]}`})
	m, err := Load(full)
	if err != nil || m.User != "app" || !slices.Equal(m.Env, []string{"A=1"}) || !slices.Equal(m.Command(nil), []string{"a", "b"}) || !slices.Equal(m.Command([]string{"c"}), []string{"c"}) {
		t.Errorf("got %+v, %v", m, err)
	}
	for name, tc := range map[string]struct {
		files map[string]string
		err   string
	}{
		"no metadata":     {map[string]string{"rootfs/x": ""}, ""},
		"no rootfs":       {map[string]string{"metadata.json": "{}"}, "no folder rootfs"},
		"linked rootfs":   {map[string]string{"rootfs": "->/"}, "no folder rootfs"},
		"nonsense":        {map[string]string{"rootfs/x": "", "metadata.json": "{"}, "not understood"},
		"linked metadata": {map[string]string{"rootfs/x": "", "metadata.json": "->/etc/hostname"}, "escapes"},
	} {
		_, err := Load(tree(t, tc.files))
		if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: got %v, want %q", name, err, tc.err)
		}
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "host")
	v, err := Host(dir, os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(v.Shown, "/usr") {
		t.Errorf("shown: %v", v.Shown)
	}
	for _, p := range v.Shown {
		if !slices.Contains(programs, p) {
			t.Errorf("%s is shown", p)
		}
	}
	for _, name := range []string{"etc/shadow", "etc/ssl/private", "etc/ssh", "root/.ssh", "var/log"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is in the image", name)
		}
	}
	if _, err := os.Stat("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		if _, err := os.Stat(filepath.Join(dir, "etc/ssl/certs/ca-certificates.crt")); err != nil {
			t.Error(err)
		}
	}
	if _, err := FindUser(dir, "build"); err != nil {
		t.Error(err)
	}
	if Hides("/usr/share/signalbox") || !Hides("/var/lib/signalbox") || !Hides("/usrdata") {
		t.Error("the wrong folders are visible on the host image")
	}
}
