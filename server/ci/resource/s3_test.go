package resource

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestS3CheckByName(t *testing.T) {
	t.Parallel()
	b := newFakeBucket(t)
	for _, key := range []string{"rel/app-1.10.0.tgz", "rel/app-1.9.0.tgz", "rel/app-1.2.0-rc.1.tgz", "rel/app-1.2.0.tgz", "rel/app-latest.tgz", "rel/other-9.tgz", "app-3.tgz"} {
		b.add(key, key)
	}
	for _, c := range []struct {
		name   string
		source map[string]any
		known  string
		want   string
	}{
		{"newest", map[string]any{"regexp": "rel/app-(.*).tgz"}, "", "path=rel/app-1.10.0.tgz"},
		{"from the known one", map[string]any{"regexp": "rel/app-(.*).tgz"}, "rel/app-1.2.0.tgz", "path=rel/app-1.2.0.tgz path=rel/app-1.9.0.tgz path=rel/app-1.10.0.tgz"},
		{"the known one is deleted", map[string]any{"regexp": "rel/app-(.*).tgz"}, "rel/app-1.3.0.tgz", "path=rel/app-1.9.0.tgz path=rel/app-1.10.0.tgz"},
		{"nothing newer is left", map[string]any{"regexp": "rel/app-(.*).tgz"}, "rel/app-2.tgz", ""},
		{"another pattern before", map[string]any{"regexp": "rel/app-(.*).tgz"}, "app-3.tgz", "path=rel/app-1.10.0.tgz"},
		{"named group", map[string]any{"regexp": `(rel)/(app|other)-(?P<version>\d+).tgz`}, "", "path=rel/other-9.tgz"},
		{"whole names only", map[string]any{"regexp": "app-(.*).tgz"}, "", "path=app-3.tgz"},
		{"nothing", map[string]any{"regexp": "none-(.*)"}, "", ""},
		{"initial", map[string]any{"regexp": "none-(.*)", "initial_path": "none-0.0.0"}, "", "path=none-0.0.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			req := newRequest(nil, b.source(c.source), nil)
			if c.known != "" {
				req.Version = Version{"path": c.known}
			}
			got, err := b.native("s3").Check(t.Context(), req.Request)
			if err != nil || got == nil || versions(got) != c.want {
				t.Errorf("%s %v", versions(got), err)
			}
		})
	}
}

func TestS3CheckVersions(t *testing.T) {
	t.Parallel()
	b := newFakeBucket(t)
	b.versioned = true
	for _, data := range []string{"one", "two", "three"} {
		b.add("app.tgz", data)
	}
	b.add("app.tgz.sig", "other")
	for known, want := range map[string]string{
		"": "version_id=v3", "v2": "version_id=v2 version_id=v3", "v3": "version_id=v3", "gone": "version_id=v3",
	} {
		req := newRequest(nil, b.source(map[string]any{"versioned_file": "/app.tgz"}), nil)
		if known != "" {
			req.Version = Version{"version_id": known}
		}
		got, err := b.native("s3").Check(t.Context(), req.Request)
		if err != nil || versions(got) != want {
			t.Errorf("%s: %s %v", known, versions(got), err)
		}
	}
	b.objects["app.tgz"] = append(b.objects["app.tgz"], storedObject{id: "v4", deleted: true})
	req := newRequest(nil, b.source(map[string]any{"versioned_file": "app.tgz"}), nil)
	if got, err := b.native("s3").Check(t.Context(), req.Request); err != nil || versions(got) != "version_id=v3" {
		t.Errorf("%s %v", versions(got), err)
	}
	b.versioned = false
	if _, err := b.native("s3").Check(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "versioning is not enabled") {
		t.Errorf("%v", err)
	}
}

func TestS3Get(t *testing.T) {
	t.Parallel()
	archive := tarOf(t, tar.Header{Name: "./bin/x", Typeflag: tar.TypeReg, Mode: 0o755, Size: 4})
	for _, c := range []struct {
		name           string
		source, params map[string]any
		version        Version
		lies           int
		want           map[string]string
		err            string
	}{
		{name: "by name", source: map[string]any{"regexp": "a/(.*).txt"}, version: Version{"path": "a/1.5.txt"},
			want: map[string]string{"1.5.txt": "hello", "version": "1.5", "url": "/things/a/1.5.txt", "s3_uri": "s3://things/a/1.5.txt"}},
		{name: "by version", source: map[string]any{"versioned_file": "f"}, version: Version{"version_id": "v1"}, want: map[string]string{"f": "old", "url": "/things/f?versionId=v1"}},
		{name: "signed", source: map[string]any{"versioned_file": "f", "private": true}, version: Version{"version_id": "v2"}, want: map[string]string{"f": "new", "url": "X-Amz-Signature="}},
		{name: "skipped", source: map[string]any{"versioned_file": "f"}, params: map[string]any{"skip_download": "true"}, version: Version{"version_id": "v1"}, want: map[string]string{"f": ""}},
		{name: "unpacked", source: map[string]any{"regexp": "a/x-(.*).tgz"}, params: map[string]any{"unpack": true}, version: Version{"path": "a/x-1.tgz"}, want: map[string]string{"bin/x": "xxxx", "x-1.tgz": "", "version": "1"}},
		{name: "initial", source: map[string]any{"versioned_file": "f", "initial_version": "0", "initial_content_binary": "aGk="}, params: map[string]any{"unpack": true}, version: Version{"version_id": "0"}, want: map[string]string{"f": "hi"}},
		{name: "wrong once", source: map[string]any{"regexp": "a/(.*).txt"}, version: Version{"path": "a/1.5.txt"}, lies: 1, want: map[string]string{"1.5.txt": "hello"}},
		{name: "wrong always", source: map[string]any{"regexp": "a/(.*).txt"}, version: Version{"path": "a/1.5.txt"}, lies: 9, err: "arrived with the checksum fb0e22c79ac75679e9881e6ba183b354 instead of 5d41402abc4b2a76b9719d911017c592"},
		{name: "no checksums", source: map[string]any{"regexp": "a/(.*).txt", "verify_etag": false}, version: Version{"path": "a/1.5.txt"}, lies: 9, want: map[string]string{"1.5.txt": "xxxxx"}},
		{name: "gone", source: map[string]any{"regexp": "a/(.*).txt"}, version: Version{"path": "a/9.txt"}, err: "the bucket things: NoSuchKey the words of NoSuchKey"},
		{name: "other version", source: map[string]any{"versioned_file": "f"}, version: Version{"path": "x"}, err: "not one of this resource"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newFakeBucket(t)
			b.versioned, b.lies, b.fails = true, c.lies, 1
			b.add("a/1.5.txt", "hello")
			b.add("f", "old")
			b.add("f", "new")
			b.add("a/x-1.tgz", string(gzipped(t, archive)))
			shelf := newShelf()
			req := newRequest(shelf, b.source(c.source), c.params)
			req.Version = c.version
			got, err := b.native("s3").Get(t.Context(), req.Request)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || got.Version == nil {
				t.Fatal(err)
			}
			files := exported(t, shelf, req.Dest)
			for name, want := range c.want {
				if name == "url" && strings.Contains(files[name], want) {
					continue
				}
				if files[name] != want {
					t.Errorf("%s is %q", name, files[name])
				}
			}
			for _, m := range got.Metadata {
				if strings.Contains(m.Value, "Signature") {
					t.Errorf("%v", m)
				}
			}
		})
	}
}

func TestS3Put(t *testing.T) {
	t.Parallel()
	b := newFakeBucket(t)
	b.versioned = true
	shelf := newShelf()
	input := inputFiles(t, shelf, "out", map[string]any{"app-1.2.tgz": "content", "deep/a-1.txt": "a", "deep/b-1.txt": "b"})
	put := func(source, params map[string]any) (Result, request, error) {
		req := newRequest(shelf, b.source(source), params)
		req.Inputs = []Input{input}
		got, err := b.native("s3").Put(t.Context(), req.Request)
		return got, req, err
	}
	b.swallowed = 1
	got, req, err := put(map[string]any{"regexp": `my\.dir/sub/app-(.*).tgz`, "server_side_encryption": "AES256"}, map[string]any{"file": "out/app-*.tgz", "acl": "public-read", "content_type": "application/gzip"})
	if err != nil || got.Version["path"] != "my.dir/sub/app-1.2.tgz" {
		t.Fatalf("%v %v", got, err)
	}
	list := b.objects["my.dir/sub/app-1.2.tgz"]
	o := list[len(list)-1]
	if o.data != "content" || o.header.Get("X-Amz-Acl") != "public-read" || o.header.Get("Content-Type") != "application/gzip" || o.header.Get("X-Amz-Server-Side-Encryption") != "AES256" {
		t.Errorf("%v", o)
	}
	if log := req.log.String(); strings.Contains(log, "secret") || !strings.Contains(log, "uploading out/app-1.2.tgz to my.dir/sub/app-1.2.tgz") {
		t.Errorf("%s", log)
	}
	// The same put after a restart finds that it is done.
	got, req, err = put(map[string]any{"versioned_file": "latest"}, map[string]any{"file": "out/app-1.2.tgz"})
	again, againErr := b.native("s3").Put(t.Context(), req.Request)
	if err != nil || againErr != nil || got.Version["version_id"] != "v1" || again.Version["version_id"] != "v1" {
		t.Errorf("%v %v %v %v", got, err, again, againErr)
	}
	if got, _, err := put(map[string]any{"versioned_file": "latest"}, map[string]any{"file": "out/app-1.2.tgz"}); err != nil || got.Version["version_id"] != "v2" {
		t.Errorf("%v %v", got, err)
	}
	if _, req, err := put(map[string]any{"regexp": "x-(.*)"}, map[string]any{"file": "out/app-1.2.tgz"}); err != nil || !strings.Contains(req.log.String(), "does not match source.regexp") {
		t.Errorf("%s %v", req.log, err)
	}
	for _, c := range []struct {
		source, params map[string]any
		words          string
	}{
		{map[string]any{"regexp": "(.*)"}, nil, "params.file is missing"},
		{map[string]any{"regexp": "(.*)"}, map[string]any{"file": "out/deep/*"}, "more than one file matches out/deep/*: out/deep/a-1.txt and out/deep/b-1.txt"},
		{map[string]any{"regexp": "(.*)"}, map[string]any{"file": "out/none-*"}, "no file matches out/none-*"},
		{map[string]any{"regexp": "(.*)"}, map[string]any{"file": "in/x"}, `there is no input "in"`},
		{map[string]any{"regexp": "(.*)"}, map[string]any{"file": "out"}, "names no file of an input"},
		{map[string]any{"regexp": "(.*)"}, map[string]any{"file": "out/[", "acl": 1}, "is not a pattern of files"},
		{map[string]any{"regexp": "(a|b)/x"}, map[string]any{"file": "out/app-1.2.tgz"}, "has a pattern in its folders"},
		{map[string]any{"regexp": "(.*)", "bucket": "elsewhere"}, map[string]any{"file": "out/app-1.2.tgz"}, "the bucket elsewhere: NoSuchBucket"},
	} {
		if _, _, err := put(c.source, c.params); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v %v: %v", c.source, c.params, err)
		}
	}
	b.versioned = false
	if _, _, err := put(map[string]any{"versioned_file": "plain"}, map[string]any{"file": "out/app-1.2.tgz"}); err == nil || !strings.Contains(err.Error(), "versioning is not enabled") {
		t.Errorf("%v", err)
	}
}

func TestS3Source(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source map[string]any
		words  string
	}{
		{nil, "source.bucket is missing"},
		{map[string]any{"bucket": "b"}, "source.regexp or source.versioned_file must be there"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "versioned_file": "a"}, "source.regexp or source.versioned_file"},
		{map[string]any{"bucket": "b", "regexp": "a"}, "source.regexp has no group"},
		{map[string]any{"bucket": "b", "regexp": "(a"}, "source.regexp is not a regular expression"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "access_key_id": "x"}, "source.access_key_id and source.secret_access_key go together"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "endpoint": "ftp://x"}, "source.endpoint is not the address"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "aws_role_arn": "x"}, "source.aws_role_arn is not supported"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "server_side_encryption": "rot13"}, "source.server_side_encryption must be"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "initial_path": "b"}, "source.initial_path does not match"},
		{map[string]any{"bucket": "b", "regexp": "(a)", "initial_version": "b"}, "source.initial_version goes with"},
		{map[string]any{"bucket": "b", "versioned_file": "a", "initial_content_binary": "!"}, "source.initial_content_binary is not base64"},
	} {
		_, err := readS3Source(newRequest(nil, c.source, nil).Request)
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.source, err)
		}
	}
	for endpoint, want := range map[string]string{"": "s3.amazonaws.com true", "minio:9000": "minio:9000 true", "http://minio": "minio false", "https://x/": "x true"} {
		f := sourceOf(newRequest(nil, map[string]any{"bucket": "b", "endpoint": endpoint}, nil).Request)
		s := readBucket(f)
		if got := s.host + map[bool]string{true: " true", false: " false"}[s.secure]; got != want || f.err != nil {
			t.Errorf("%s: %s %v", endpoint, got, f.err)
		}
	}
	b := newFakeBucket(t)
	req := newRequest(nil, b.source(map[string]any{"regexp": "(.*)", "access_key_id": "wrong"}), nil)
	if _, err := b.native("s3").Check(t.Context(), req.Request); err == nil || !strings.Contains(err.Error(), "the bucket things: InvalidAccessKeyId the words of") {
		t.Errorf("%v", err)
	}
}

func TestSemver(t *testing.T) {
	t.Parallel()
	b := newFakeBucket(t)
	source := b.source(map[string]any{"key": "version", "initial_version": "0.1.0"})
	shelf := newShelf()
	typ := b.native("semver")
	check := func(known string) string {
		req := newRequest(nil, source, nil)
		if known != "" {
			req.Version = Version{"number": known}
		}
		got, err := typ.Check(t.Context(), req.Request)
		if err != nil {
			t.Error(err)
		}
		return versions(got)
	}
	put := func(params map[string]any) (string, request) {
		req := newRequest(shelf, source, params)
		req.Inputs = []Input{inputFiles(t, shelf, "in", map[string]any{"number": " 3.0.0-beta.1\n"})}
		got, err := typ.Put(t.Context(), req.Request)
		if err != nil {
			t.Errorf("%v: %v", params, err)
		}
		return got.Version["number"], req
	}
	if got := check(""); got != "number=0.1.0" {
		t.Errorf("%s", got)
	}
	got, req := put(map[string]any{"bump": "minor", "pre": "rc"})
	again, err := typ.Put(t.Context(), req.Request) // after a restart
	if got != "0.2.0-rc.1" || err != nil || again.Version["number"] != got {
		t.Errorf("%s %v %v", got, again, err)
	}
	b.beforePut = func() { b.add("version", "1.0.0") } // another build
	if got, req := put(map[string]any{"bump": "patch"}); got != "1.0.1" || !strings.Contains(req.log.String(), "another build has changed") {
		t.Errorf("%s %s", got, req.log)
	}
	b.swallowed = 1 // written, but answered with an error
	if got, _ := put(map[string]any{"bump": "major"}); got != "2.0.0" {
		t.Errorf("%s", got)
	}
	b.unconditional = true
	if got, _ := put(map[string]any{"file": "in/number"}); got != "3.0.0-beta.1" || check("2.0.0") != "number=3.0.0-beta.1" || check("4.0.0") != "" {
		t.Errorf("%s %s", got, check("4.0.0"))
	}
	fetched := newRequest(shelf, source, map[string]any{"pre": "beta"})
	fetched.Version = Version{"number": "3.0.0-beta.1"}
	if _, err := typ.Get(t.Context(), fetched.Request); err != nil || exported(t, shelf, fetched.Dest)["version"] != "3.0.0-beta.2" || exported(t, shelf, fetched.Dest)["number"] != "3.0.0-beta.2" {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		source, params map[string]any
		words          string
	}{
		{map[string]any{"driver": "git"}, nil, `source.driver "git" is not supported by the built-in type`},
		{map[string]any{"key": ""}, nil, "source.key is missing"},
		{map[string]any{"initial_version": "1"}, nil, `source.initial_version "1" is not a version number`},
		{nil, nil, "params.file or params.bump or params.pre must be there"},
		{nil, map[string]any{"bump": "huge"}, "params.bump must be major, minor, patch or final"},
		{nil, map[string]any{"pre": "r c"}, `params.pre "r c" is not a kind of pre-release`},
	} {
		s := b.source(map[string]any{"key": "version"})
		for k, v := range c.source {
			s[k] = v
		}
		if _, err := typ.Put(t.Context(), newRequest(shelf, s, c.params).Request); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v %v: %v", c.source, c.params, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	inOrder := []string{"0", "0.0.1-alpha", "0.0.1-alpha.1", "0.0.1-alpha.beta", "0.0.1-beta.2", "0.0.1-beta.11", "v0.0.1", "0.9", "0.10.1rc1", "0.10.1", "1.2.3.4", "20260102030405123456789"}
	for i := range inOrder[1:] {
		a, okA := parseNumber(inOrder[i])
		b, okB := parseNumber(inOrder[i+1])
		if !okA || !okB || compareNumbers(a, b) >= 0 || compareNumbers(b, a) <= 0 {
			t.Errorf("%s and %s", inOrder[i], inOrder[i+1])
		}
	}
	for _, pair := range [][2]string{{"1", "1.0.0"}, {"v1.02", "1.2"}, {"1+a", "1+b"}} {
		a, _ := parseNumber(pair[0])
		b, _ := parseNumber(pair[1])
		if compareNumbers(a, b) != 0 {
			t.Errorf("%v", pair)
		}
	}
	for _, c := range []struct {
		from string
		by   bump
		want string
	}{
		{"1.2.3", bump{part: "major"}, "2.0.0"},
		{"1.2.3-rc.1+b", bump{part: "minor"}, "1.3.0"},
		{"1.2.3", bump{part: "patch"}, "1.2.4"},
		{"1.2.3-rc.4", bump{part: "final"}, "1.2.3"},
		{"1.2.3", bump{pre: "rc"}, "1.2.3-rc.1"},
		{"1.2.3-rc.1", bump{pre: "rc"}, "1.2.3-rc.2"},
		{"1.2.3-alpha.7", bump{pre: "beta"}, "1.2.3-beta.1"},
		{"1.2.3-rc.1", bump{part: "patch", pre: "rc"}, "1.2.4-rc.1"},
		{"1.2.3-rc.1", bump{pre: "dev", single: true}, "1.2.3-dev"},
		{"1.2.3-rc.1", bump{}, "1.2.3-rc.1"},
	} {
		n, err := parseSemantic(c.from)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.by.apply(n)
		if err != nil || got.String() != c.want || n.String() != c.from {
			t.Errorf("%s by %v is %s, %v", c.from, c.by, got, err)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, text := range []string{"1.2.3", "v1-rc.1", "1.0rc1", "00.01", "1.2.3-a+b"} {
		f.Add(text, "1.2.3")
	}
	f.Fuzz(func(t *testing.T, left, right string) {
		a, okA := parseNumber(left)
		b, okB := parseNumber(right)
		if okA && okB && compareNumbers(a, b) != -compareNumbers(b, a) {
			t.Errorf("%q %q", left, right)
		}
		if n, err := parseSemantic(left); err == nil && n.String() != left {
			t.Errorf("%q is %q", left, n)
		}
	})
}

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var data bytes.Buffer
	out := tar.NewWriter(&data)
	for _, h := range headers {
		err := out.WriteHeader(&h)
		if h.Typeflag == tar.TypeReg && err == nil {
			_, err = out.Write(bytes.Repeat([]byte("x"), int(h.Size)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zipOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var data bytes.Buffer
	out := zip.NewWriter(&data)
	for _, name := range names {
		w, err := out.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = io.WriteString(w, "xx")
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func unpacked(dir string, data []byte, name string) (map[string]string, error) {
	s := &scratch{dir: dir}
	file, err := s.keep(name, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var result bytes.Buffer
	out := tar.NewWriter(&result)
	if err := errors.Join(s.unpack(out, file, name), out.Close()); err != nil {
		return nil, err
	}
	return untar(&result)
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	regular := func(name string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 2}
	}
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	for _, c := range []struct {
		name string
		data []byte
		want string // files, or the error
	}{
		{"x.tar", tarOf(t, tar.Header{Name: "./", Typeflag: tar.TypeDir}, regular("./a"), tar.Header{Name: "d/", Typeflag: tar.TypeDir}, link("l", "/etc")), "a d l"},
		{"x.tgz", gzipped(t, tarOf(t, regular("a"), tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "a"})), "a h"},
		{"x.gz", gzipped(t, []byte("text")), "x"},
		{"x.zip", zipOf(t, "a", "d/", "d/b"), "a d d/b"},
		{"x.txt", []byte("text"), "it is not a tar, gzip or zip archive"},
		{"x.tar", tarOf(t, regular("../a")), "leads out of its folder"},
		{"x.tar", tarOf(t, regular("a/../../b")), "leads out of its folder"},
		{"x.tar", tarOf(t, regular("/etc/x")), "etc/x"},
		{"x.tar", tarOf(t, link("l", "/etc"), regular("l/passwd")), `goes through the link "l"`},
		{"x.tar", tarOf(t, link("l", "/etc/passwd"), tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "l"}), "leads to a symbolic one"},
		{"x.tar", tarOf(t, tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "../../x"}), "leads out of its folder"},
		{"x.tar", tarOf(t, tar.Header{Name: "dev", Typeflag: tar.TypeChar}, regular("a")), "a"},
		{"x.zip", zipOf(t, "../a"), "leads out of its folder"},
		{"x.tgz", gzipped(t, tarOf(t, regular("a")))[:40], "unexpected EOF"},
	} {
		files, err := unpacked(t.TempDir(), c.data, c.name)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			for _, name := range slices.Sorted(maps.Keys(files)) {
				got = strings.TrimSpace(got + " " + name)
			}
		}
		if err != nil && !strings.Contains(got, c.want) || err == nil && got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(tarOf(f, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}))
	f.Add(gzipped(f, tarOf(f, tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 2})))
	f.Add(zipOf(f, "a", "b/c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := unpacked(t.TempDir(), data, "x")
		if err != nil {
			return
		}
		for name := range files {
			if strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
				t.Errorf("%q", name)
			}
		}
	})
}
