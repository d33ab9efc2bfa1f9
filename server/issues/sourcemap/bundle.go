package sourcemap

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

const (
	bundleMagic   = "SYSB"
	bundleHeader  = 8 // the magic and a version
	maxManifest   = 32 << 20
	maxBundled    = 100_000
	manifestName  = "manifest.json"
	bundleVersion = 2
)

// The values of BundleFile.Type.
const (
	TypeMinified  = "minified_source"
	TypeSourceMap = "source_map"
	TypeSource    = "source"
)

// Bundle is an uploaded archive of scripts and source maps.
type Bundle struct {
	Org, Project, Release, Dist string
	DebugID                     string
	// Files are those of the manifest that are in the archive, by path.
	Files []BundleFile
	zip   map[string]*zip.File
}

// BundleFile is one file of a bundle.
type BundleFile struct {
	// Path is the name in the archive.
	Path string
	// URL is where browsers load it from, "~" for any host ("~/assets/app.js").
	URL  string
	Type string
	// DebugID joins a script and its map; empty for old uploads.
	DebugID string
	// SourceMap is the reference of a script to its map, relative to URL.
	SourceMap string
	// Headers have lower-case names.
	Headers map[string]string
	// Size is what the archive claims; reading is bounded all the same.
	Size int64
}

type manifest struct {
	Org     string                  `json:"org"`
	Project string                  `json:"project"`
	Release string                  `json:"release"`
	Dist    string                  `json:"dist"`
	DebugID string                  `json:"debug_id"`
	Files   map[string]manifestFile `json:"files"`
}

type manifestFile struct {
	URL     string            `json:"url"`
	Type    string            `json:"type"`
	Headers map[string]string `json:"headers"`
}

// ReadBundle reads the directory and the manifest of a bundle: eight bytes
// ("SYSB", a version) and a zip, or a bare zip of old clients. Files are read
// one by one with Read.
func ReadBundle(r io.ReaderAt, size int64) (Bundle, error) {
	var head [bundleHeader]byte
	if _, err := r.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return Bundle{}, err
	}
	if string(head[:4]) == bundleMagic {
		if v := binary.LittleEndian.Uint32(head[4:]); v > bundleVersion {
			return Bundle{}, malformed("the bundle has version %d; up to %d can be read", v, bundleVersion)
		}
		r, size = io.NewSectionReader(r, bundleHeader, size-bundleHeader), size-bundleHeader
	}
	if size < 0 {
		return Bundle{}, malformed("the bundle is too short")
	}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return Bundle{}, malformed("the bundle is no zip archive: %v", err)
	}
	if len(archive.File) > maxBundled {
		return Bundle{}, ErrTooLarge
	}
	b := Bundle{zip: make(map[string]*zip.File, len(archive.File))}
	for _, f := range archive.File {
		if b.zip[f.Name] == nil {
			b.zip[f.Name] = f
		}
	}
	raw, err := b.Read(manifestName, maxManifest)
	if err != nil {
		return Bundle{}, err
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return Bundle{}, malformed("the manifest is not valid JSON: %v", err)
	}
	b.fill(&m)
	return b, nil
}

func (b *Bundle) fill(m *manifest) {
	b.Org, b.Project, b.Release, b.Dist = m.Org, m.Project, m.Release, m.Dist
	b.DebugID = sentry.NormalDebugID(m.DebugID)
	for path, f := range m.Files {
		entry := b.zip[path]
		if entry == nil {
			continue
		}
		file := BundleFile{Path: path, URL: f.URL, Type: f.Type, Headers: map[string]string{}, Size: int64(min(entry.UncompressedSize64, 1<<62))}
		for k, v := range f.Headers {
			file.Headers[strings.ToLower(k)] = v
		}
		file.DebugID = sentry.NormalDebugID(file.Headers["debug-id"])
		file.SourceMap = file.Headers["sourcemap"]
		if file.SourceMap == "" {
			file.SourceMap = file.Headers["x-sourcemap"]
		}
		b.Files = append(b.Files, file)
	}
	sort.Slice(b.Files, func(i, j int) bool { return b.Files[i].Path < b.Files[j].Path })
}

// Read unpacks one file; more than max bytes are ErrTooLarge, found while
// unpacking, whatever the archive claims.
func (b *Bundle) Read(path string, max int64) ([]byte, error) {
	r, err := b.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, max+1))
	if err != nil {
		return nil, malformed("%s cannot be unpacked: %v", path, err)
	}
	if int64(len(raw)) > max {
		return nil, ErrTooLarge
	}
	return raw, nil
}

// Open gives the unpacked stream of one file; the caller bounds it.
func (b *Bundle) Open(path string) (io.ReadCloser, error) {
	f := b.zip[path]
	if f == nil {
		return nil, malformed("the bundle has no %s", path)
	}
	r, err := f.Open()
	if err != nil {
		return nil, malformed("%s cannot be unpacked: %v", path, err)
	}
	return r, nil
}
