package image

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Metadata is the metadata.json beside an image's rootfs.
type Metadata struct {
	Env        []string `json:"env"`
	User       string   `json:"user"`
	Cmd        []string `json:"cmd"`
	Entrypoint []string `json:"entrypoint"`
	WorkDir    string   `json:"workdir"`
}

// maxText bounds the files read out of an image.
const maxText = 4 << 20

// Load reads the metadata of the image unpacked in dir; an image without any is
// only a root file system.
func Load(dir string) (Metadata, error) {
	var m Metadata
	root, err := os.OpenRoot(dir)
	if err != nil {
		return m, err
	}
	defer root.Close()
	if info, err := root.Lstat("rootfs"); err != nil || !info.IsDir() {
		return m, errors.New("The image has no folder rootfs, so it is not an image.") //nolint:staticcheck // a sentence for the user
	}
	data, err := readSome(root, "metadata.json")
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fmt.Errorf("The image's metadata.json is not understood: %w.", err) //nolint:staticcheck // a sentence for the user
	}
	return m, nil
}

// Command is what to run: the step's own arguments, or else the image's.
func (m Metadata) Command(args []string) []string {
	if len(args) > 0 {
		return args
	}
	return slices.Concat(m.Entrypoint, m.Cmd)
}

// User is somebody an image knows.
type User struct {
	UID, GID uint32
	Groups   []uint32
	Home     string
}

// FindUser resolves "name", "uid", "name:group" or "uid:gid" with the image's own
// passwd and group files. Links that leave the image are not followed.
func FindUser(rootfs, who string) (User, error) {
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return User{}, err
	}
	defer root.Close()
	name, group, hasGroup := strings.Cut(who, ":")
	if name == "" {
		name = "root"
	}
	u, known, err := findPerson(root, name)
	if err != nil {
		return User{}, err
	}
	if hasGroup {
		u.GID, err = findGroup(root, group)
		return u, err
	}
	if known != "" {
		u.Groups, err = groupsOf(root, known, u.GID)
	}
	return u, err
}

// findPerson looks a user up; known is the name when there is an entry.
func findPerson(root *os.Root, name string) (u User, known string, err error) {
	rows, err := rowsOf(root, "etc/passwd")
	if err != nil {
		return User{}, "", err
	}
	for _, f := range rows {
		if len(f) < 6 || (f[0] != name && f[2] != name) {
			continue
		}
		uid, err1 := id(f[2])
		gid, err2 := id(f[3])
		if err1 == nil && err2 == nil {
			return User{UID: uid, GID: gid, Home: f[5]}, f[0], nil
		}
	}
	if uid, err := id(name); err == nil {
		return User{UID: uid, Home: "/"}, "", nil
	}
	if name == "root" {
		return User{Home: "/root"}, "", nil
	}
	return User{}, "", fmt.Errorf("The image has no user %q.", name) //nolint:staticcheck // a sentence for the user
}

func findGroup(root *os.Root, name string) (uint32, error) {
	rows, err := rowsOf(root, "etc/group")
	if err != nil {
		return 0, err
	}
	for _, f := range rows {
		if len(f) >= 3 && f[0] == name {
			return id(f[2])
		}
	}
	if gid, err := id(name); err == nil {
		return gid, nil
	}
	return 0, fmt.Errorf("The image has no group %q.", name) //nolint:staticcheck // a sentence for the user
}

func groupsOf(root *os.Root, user string, own uint32) ([]uint32, error) {
	rows, err := rowsOf(root, "etc/group")
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, f := range rows {
		if len(f) < 4 || !slices.Contains(strings.Split(f[3], ","), user) {
			continue
		}
		if gid, err := id(f[2]); err == nil && gid != own {
			out = append(out, gid)
		}
	}
	return out, nil
}

// id accepts the ids that fit the range a container has.
func id(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint32(n), err
}

// rowsOf splits a colon-separated file; a missing one has no rows.
func rowsOf(root *os.Root, name string) ([][]string, error) {
	data, err := readSome(root, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the image's /%s: %w", name, err)
	}
	var rows [][]string
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, maxText)
	for sc.Scan() {
		rows = append(rows, strings.Split(strings.TrimSpace(sc.Text()), ":"))
	}
	return rows, sc.Err()
}

func readSome(root *os.Root, name string) ([]byte, error) {
	// Stat first: opening a named pipe would wait for a writer.
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxText))
}
