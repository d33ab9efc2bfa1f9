package debian

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"
)

// maxControl bounds the control file and maxChangelog an unpacked changelog.
const (
	maxControl   = 1 << 20
	maxChangelog = 64 << 20
)

// Deb is a normalised .deb: an ar archive whose members are not compressed.
type Deb struct {
	control, data *io.SectionReader
}

// ReadDeb finds the members.
func ReadDeb(r io.ReaderAt, size int64) (*Deb, error) {
	var magic [8]byte
	if _, err := r.ReadAt(magic[:], 0); err != nil || string(magic[:]) != "!<arch>\n" {
		return nil, errors.New("not an ar archive")
	}
	d := &Deb{}
	for at := int64(8); at+60 <= size; {
		var head [60]byte
		if _, err := r.ReadAt(head[:], at); err != nil {
			return nil, err
		}
		length, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || length < 0 || length > size-at-60 || string(head[58:]) != "`\n" {
			return nil, errors.New("a broken header in the ar archive")
		}
		body := io.NewSectionReader(r, at+60, length)
		switch strings.TrimRight(string(head[:16]), "/ ") {
		case "control.tar":
			d.control = body
		case "data.tar":
			d.data = body
		}
		at += 60 + length + length%2
	}
	if d.control == nil || d.data == nil {
		return nil, errors.New("the archive has no plain control.tar and data.tar")
	}
	return d, nil
}

// Made is when a .deb was built, as its first member says; zero where it does not.
func Made(r io.ReaderAt) time.Time {
	var head [68]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return time.Time{}
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(head[24:36])), 10, 64)
	if err != nil || seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Control reads the package's stanza.
func (d *Deb) Control() (Stanza, error) {
	var text string
	err := d.find(d.control, "control", func(r io.Reader) error {
		raw, err := io.ReadAll(io.LimitReader(r, maxControl))
		text = string(raw)
		return err
	})
	if err != nil {
		return nil, err
	}
	return OneStanza(text)
}

// Changelog reads the changelog to each. Where the folder of documentation is a link to
// another package's, linked is that package's name and each is not called.
func (d *Deb) Changelog(name string, each func(io.Reader) error) (linked string, err error) {
	if _, err := d.data.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	folder := "usr/share/doc/" + name
	archive := tar.NewReader(d.data)
	var native []byte
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fmt.Errorf("data.tar: %w", err)
		}
		switch clean := path.Clean(strings.TrimPrefix(h.Name, "./")); {
		case clean == folder && h.Typeflag == tar.TypeSymlink:
			return path.Base(path.Clean(h.Linkname)), nil
		case h.Typeflag != tar.TypeReg:
		case clean == folder+"/changelog.Debian.gz":
			return "", unzip(archive, each)
		case clean == folder+"/changelog.gz" && h.Size <= maxChangelog:
			// The upstream's, unless the package is native and has no other.
			if native, err = io.ReadAll(archive); err != nil {
				return "", err
			}
		}
	}
	if native == nil {
		return "", nil
	}
	return "", unzip(strings.NewReader(string(native)), each)
}

func unzip(r io.Reader, each func(io.Reader) error) error {
	z, err := gzip.NewReader(r)
	if err != nil {
		return fmt.Errorf("changelog: %w", err)
	}
	return each(io.LimitReader(z, maxChangelog))
}

func (d *Deb) find(member *io.SectionReader, name string, use func(io.Reader) error) error {
	if _, err := member.Seek(0, io.SeekStart); err != nil {
		return err
	}
	archive := tar.NewReader(member)
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("the archive has no %s", name)
		}
		if err != nil {
			return err
		}
		if path.Clean(strings.TrimPrefix(h.Name, "./")) == name && h.Typeflag == tar.TypeReg {
			return use(archive)
		}
	}
}
