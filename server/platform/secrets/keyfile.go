package secrets

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	keyIDSize = 8
	keySize   = 32
)

// key is one line of the key file.
type key struct {
	id     [keyIDSize]byte
	secret [keySize]byte
}

func newKey() key {
	var k key
	rand.Read(k.id[:]) // never fails
	rand.Read(k.secret[:])
	return k
}

func (k key) line() string {
	return hex.EncodeToString(k.id[:]) + " " + hex.EncodeToString(k.secret[:]) + "\n"
}

const keyFileHead = `# Keys of this server's secrets: one "id key" a line, the last one encrypts, all decrypt.
# Without this file the secrets in the database cannot be read. Back it up apart from the database.
`

// OpenBox reads the key file at path, or makes one that only its owner can
// read. It reports whether it made one: with secrets already in the database
// that means that the right file is missing (see Unreadable).
func OpenBox(path string) (box *Box, created bool, err error) {
	keys, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		k := newKey()
		if err := writeNew(path, keyFileHead+k.line()); err != nil {
			return nil, false, fmt.Errorf("make the key file: %w", err)
		}
		box = newBox([]key{k})
		box.path = path
		return box, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the key file: %w", err)
	}
	box = newBox(keys)
	box.path = path
	return box, false, nil
}

// AddKey appends a new key to the file, which encrypts from the next OpenBox or Reload on.
func AddKey(path string) error {
	keys, err := readKeys(path)
	if err != nil {
		return fmt.Errorf("read the key file: %w", err)
	}
	text := keyFileHead
	for _, k := range append(keys, newKey()) {
		text += k.line()
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(next, text); err != nil {
		return fmt.Errorf("write the key file: %w", err)
	}
	return os.Rename(next, path)
}

func writeNew(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func readKeys(path string) ([]key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o); make it 0600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseKeys(text)
}

// parseKeys never quotes a line in an error: it may be a key.
func parseKeys(text []byte) ([]key, error) {
	var keys []key
	seen := map[[keyIDSize]byte]bool{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var k key
		id, secret, _ := strings.Cut(line, " ")
		secret = strings.TrimSpace(secret)
		if len(id) != 2*keyIDSize || len(secret) != 2*keySize {
			return nil, fmt.Errorf("line %d is not a key", n)
		}
		if _, err := hex.Decode(k.id[:], []byte(id)); err != nil {
			return nil, fmt.Errorf("line %d is not a key", n)
		}
		if _, err := hex.Decode(k.secret[:], []byte(secret)); err != nil {
			return nil, fmt.Errorf("line %d is not a key", n)
		}
		if seen[k.id] {
			return nil, fmt.Errorf("line %d repeats the id of an earlier key", n)
		}
		seen[k.id] = true
		keys = append(keys, k)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.New("a line is too long")
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key")
	}
	return keys, nil
}
