package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// View is the built-in image: an almost empty root and what is shown in it.
type View struct {
	Root string
	// Shown are paths of this machine to be bound read-only at the same place.
	Shown    []string
	Metadata Metadata
}

// programs are the folders of a machine's programs, or links to them.
var programs = []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}

// settings are the parts of /etc without which programs do not run: loader, trusted
// certificates, which alternative of a program is meant. None holds secrets; the
// keys in /etc/ssl/private are not among them. They are copied: each mount costs
// every container time.
var settings = []string{
	"/etc/alternatives", "/etc/ca-certificates.conf", "/etc/crypto-policies", "/etc/ld.so.cache", "/etc/ld.so.conf",
	"/etc/ld.so.conf.d", "/etc/localtime", "/etc/mime.types", "/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/protocols",
	"/etc/services", "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// DefaultPath is PATH where an image names none.
const DefaultPath = "PATH=" + defaultPath

var written = map[string]string{
	"etc/passwd": "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n" +
		"build:x:1000:1000:build:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	"etc/group":         "root:x:0:\ndaemon:x:1:\ntty:x:5:\nbuild:x:1000:\nnogroup:x:65534:\n",
	"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: files\nservices: files\n",
	"etc/os-release":    "NAME=host\nID=host\nPRETTY_NAME=\"This machine's programs\"\n",
}

// Host makes the view below dir, which is emptied first; owner is given all of it.
func Host(dir string, owner int) (View, error) {
	v := View{Root: dir, Metadata: Metadata{Env: []string{DefaultPath}}}
	if info, err := os.Stat("/usr/local/go/bin"); err == nil && info.IsDir() {
		v.Metadata.Env = []string{"PATH=/usr/local/go/bin:" + defaultPath}
	}
	if err := os.RemoveAll(dir); err != nil {
		return View{}, err
	}
	var errs []error
	for name, mode := range map[string]os.FileMode{
		"dev": 0o755, "etc": 0o755, "home": 0o755, "opt": 0o755, "proc": 0o755, "root": 0o700, "run": 0o755,
		"sys": 0o755, "tmp": 0o777 | os.ModeSticky, "var": 0o755, "var/tmp": 0o777 | os.ModeSticky, "var/lib": 0o755, "var/cache": 0o755,
	} {
		path := filepath.Join(dir, name)
		errs = append(errs, os.MkdirAll(path, 0o755), os.Chmod(path, mode))
	}
	for name, text := range written {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	if err := errors.Join(errs...); err != nil {
		return View{}, err
	}
	for _, p := range programs {
		if err := v.show(p); err != nil {
			return View{}, err
		}
	}
	for _, p := range settings {
		if err := copyTree(p, filepath.Join(dir, p)); err != nil {
			return View{}, err
		}
	}
	return v, chownAll(dir, owner)
}

// show repeats a link as it is, and leaves a place for a folder or file.
func (v *View) show(p string) error {
	info, err := os.Lstat(p)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	at := filepath.Join(v.Root, p)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		target, err := os.Readlink(p)
		if err != nil {
			return err
		}
		return os.Symlink(target, at)
	case info.IsDir():
		v.Shown = append(v.Shown, p)
		return os.MkdirAll(at, 0o755)
	default:
		v.Shown = append(v.Shown, p)
		return os.WriteFile(at, nil, 0o644)
	}
}

// Hides tells whether the view would show the folder, which must then not hold data.
func Hides(dir string) bool {
	for _, p := range programs {
		real, err := filepath.EvalSymlinks(p)
		if err == nil && (dir == real || strings.HasPrefix(dir, real+"/")) {
			return false
		}
	}
	return true
}

// maxSetting keeps something unexpected from being copied.
const maxSetting = 16 << 20

// copyTree copies what everybody may read; links stay as they are.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(p string, d os.DirEntry, err error) error {
		if p == from && errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return err
		}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return os.MkdirAll(at, 0o755)
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			return os.Symlink(target, at)
		case !info.Mode().IsRegular() || info.Mode()&0o004 == 0 || info.Size() > maxSetting:
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		return os.WriteFile(at, data, 0o644)
	})
}

func chownAll(dir string, owner int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return filepath.WalkDir(dir, func(p string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(p, owner, owner))
	})
}
