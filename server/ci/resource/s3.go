package resource

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"
)

// s3Type follows objects of a bucket: many whose names hold versions, or the versions
// of one.
type s3Type struct{ opts Options }

// ResumesPut says that a put may be repeated after a restart: a named object is written
// over with the same content, and a version of one object knows which put made it.
func (s3Type) ResumesPut() bool { return true }

// putMark is the metadata of an object that says which put made it.
const putMark = "Signalbox-Put"

// signedFor is how long the signed address of a private object works.
const signedFor = 24 * time.Hour

// Check lists versions from the known one on.
func (t s3Type) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := readS3Source(req)
	if err != nil {
		return nil, err
	}
	b, err := t.opts.bucket(req, s.bucketSource)
	if err != nil {
		return nil, err
	}
	defer b.done()
	var versions []Version
	if s.pattern != nil {
		versions, err = b.named(ctx, s, req.Version)
	} else {
		versions, err = b.versions(ctx, s, req.Version)
	}
	if err != nil {
		return nil, b.failed(ctx, req, "check", err)
	}
	return versions, nil
}

// named are the objects that match the pattern, by the versions in their names.
func (b bucket) named(ctx context.Context, s s3Source, known Version) ([]Version, error) {
	type object struct {
		key string
		n   number
	}
	var found []object
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when it is left early
	for info := range b.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: s.literal(), Recursive: true}) {
		if info.Err != nil {
			return nil, info.Err
		}
		if _, n, ok := s.extract(info.Key); ok {
			found = append(found, object{info.Key, n})
		}
	}
	if len(found) == 0 {
		return s.initialVersions("path"), nil
	}
	slices.SortFunc(found, func(a, b object) int {
		if c := compareNumbers(a.n, b.n); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	from := len(found) - 1
	if _, n, ok := s.extract(known["path"]); ok && known["path"] != "" {
		from = slices.IndexFunc(found, func(o object) bool { return compareNumbers(o.n, n) >= 0 })
		if from < 0 { // everything that was newer has been deleted
			return []Version{}, nil
		}
	}
	versions := []Version{}
	for _, o := range found[from:] {
		versions = append(versions, Version{"path": o.key})
	}
	return versions, nil
}

func (s s3Source) initialVersions(key string) []Version {
	if s.initial == "" {
		return []Version{}
	}
	return []Version{{key: s.initial}}
}

// versions are those of one object.
func (b bucket) versions(ctx context.Context, s s3Source, known Version) ([]Version, error) {
	versions := []Version{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for info := range b.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: s.file, WithVersions: true, Recursive: true}) {
		if info.Err != nil {
			return nil, info.Err
		}
		if info.Key != s.file || info.IsDeleteMarker {
			continue
		}
		if len(versions) == 0 && (info.VersionID == "" || info.VersionID == "null") {
			return nil, errUnversioned
		}
		versions = append(versions, Version{"version_id": info.VersionID})
		if known == nil || info.VersionID == known["version_id"] {
			break // the list begins with the newest
		}
	}
	if len(versions) == 0 {
		return s.initialVersions("version_id"), nil
	}
	if last := versions[len(versions)-1]; known != nil && last["version_id"] != known["version_id"] {
		return versions[:1], nil
	}
	slices.Reverse(versions)
	return versions, nil
}

var errUnversioned = errors.New("its versioning is not enabled. Enable it and upload the object again, or use source.regexp")

// Get downloads the object, checks that it arrived as it was sent, and unpacks it.
func (t s3Type) Get(ctx context.Context, req Request) (Result, error) {
	s, err := readS3Source(req)
	f := paramsOf(req)
	unpack, skip := f.boolean("unpack"), f.boolOr("skip_download", s.skip)
	f.refuse("download_tags")
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	key, id, text := req.Version["path"], "", ""
	if s.file != "" {
		key, id = s.file, req.Version["version_id"]
	} else {
		text, _, _ = s.extract(key)
	}
	if key == "" || s.file != "" && id == "" {
		return Result{}, errors.New("the version is not one of this resource. Check the resource again")
	}
	initial := s.initial != "" && (id == s.initial || s.file == "" && key == s.initial)
	b, err := t.opts.bucket(req, s.bucketSource)
	if err != nil {
		return Result{}, err
	}
	defer b.done()
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	var object *spooled
	if !skip && !initial {
		got, err := b.fetch(ctx, req, tmp, s, key, id)
		if err != nil {
			return Result{}, b.failed(ctx, req, "in", err)
		}
		object = &got
	}
	address, err := b.address(ctx, s, key, id)
	if err != nil {
		return Result{}, b.failed(ctx, req, "in", err)
	}
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error {
		base := path.Base(key)
		files := map[string]string{"version": text, "url": address, "s3_uri": "s3://" + b.name + "/" + key}
		delete(files, base)
		for name, content := range files {
			if err := addFile(out, name, []byte(content)); content != "" && err != nil {
				return err
			}
		}
		switch {
		case initial && !skip:
			return addFile(out, base, s.initialContent)
		case object == nil:
			return nil
		case unpack:
			return tmp.unpack(out, *object, base)
		}
		return object.addTo(out, base)
	})
	return Result{Version: req.Version, Metadata: s.metadata(key, address)}, err
}

func (s s3Source) metadata(key, address string) []Field {
	list := []Field{{Name: "filename", Value: path.Base(key)}}
	if !s.private { // a signed address is a key to the object
		list = append(list, Field{Name: "url", Value: address})
	}
	return list
}

// fetch downloads, again when the connection breaks or the content is not what it says.
func (b bucket) fetch(ctx context.Context, req Request, tmp *scratch, s s3Source, key, id string) (spooled, error) {
	if _, err := fmt.Fprintf(req.Log, "fetching %s from the bucket %s\n", key, b.name); err != nil {
		return spooled{}, err
	}
	for attempt := 1; ; attempt++ {
		got, err := b.download(ctx, tmp, s, key, id)
		var answer minio.ErrorResponse
		if err == nil || attempt == 3 || ctx.Err() != nil || errors.As(err, &answer) {
			return got, err
		}
		if _, err := fmt.Fprintf(req.Log, "%s; trying again\n", redact(withoutURL(err).Error(), b.secrets)); err != nil {
			return got, err
		}
	}
}

var plainETag = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (b bucket) download(ctx context.Context, tmp *scratch, s s3Source, key, id string) (spooled, error) {
	body, info, headers, err := minio.Core{Client: b.Client}.GetObject(ctx, b.name, key, minio.GetObjectOptions{VersionID: id})
	if err != nil {
		return spooled{}, err
	}
	got, err := tmp.keep(key, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return got, err
	}
	if got.size != info.Size {
		return got, fmt.Errorf("%s has %d bytes, but %d arrived", key, info.Size, got.size)
	}
	// An ETag is the content's MD5 unless the object was sent in parts or is encrypted.
	encrypted := headers.Get("X-Amz-Server-Side-Encryption") != "" || headers.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != ""
	if etag := strings.Trim(info.ETag, `"`); !s.anyETag && !encrypted && plainETag.MatchString(etag) && etag != got.md5 {
		return got, fmt.Errorf("%s arrived with the checksum %s instead of %s. If this service's ETags are not checksums, set source.verify_etag to false", key, got.md5, etag)
	}
	return got, nil
}

// address is where the object can be read, signed when it is private.
func (b bucket) address(ctx context.Context, s s3Source, key, id string) (string, error) {
	query := url.Values{}
	if id != "" {
		query.Set("versionId", id)
	}
	if s.private {
		signed, err := b.PresignedGetObject(ctx, b.name, key, signedFor, query)
		if err != nil {
			return "", err
		}
		return signed.String(), nil
	}
	u := b.EndpointURL().JoinPath(b.name, key)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Put uploads one file.
func (t s3Type) Put(ctx context.Context, req Request) (Result, error) {
	s, err := readS3Source(req)
	f := paramsOf(req)
	glob, acl, kind := f.required("file"), f.text("acl"), f.text("content_type")
	control := f.text("cache_control")
	f.refuse("from", "to")
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	b, err := t.opts.bucket(req, s.bucketSource)
	if err != nil {
		return Result{}, err
	}
	defer b.done()
	tmp, err := t.opts.scratch()
	if err != nil {
		return Result{}, err
	}
	defer tmp.remove() //nolint:errcheck // nothing can be done about files that stay
	file, err := tmp.one(ctx, req, glob)
	if err != nil {
		return Result{}, failed(ctx, req, "out", fmt.Errorf("params.file: %w", err))
	}
	key := s.file
	if key == "" {
		folder, err := s.folder()
		if err != nil {
			return Result{}, err
		}
		key = folder + path.Base(file.name)
	}
	opts := minio.PutObjectOptions{
		ContentType: kind, CacheControl: control, DisableMultipart: s.single,
		UserMetadata: map[string]string{putMark: string(req.Container)},
	}
	if acl != "" {
		opts.UserMetadata["x-amz-acl"] = acl
	}
	switch s.encryption {
	case "AES256":
		opts.ServerSideEncryption = encrypt.NewSSE()
	case "aws:kms":
		if opts.ServerSideEncryption, err = encrypt.NewSSEKMS(s.encryptionKey, nil); err != nil {
			return Result{}, err
		}
	}
	version, err := b.upload(ctx, req, s, file, key, opts)
	if err != nil {
		return Result{}, b.failed(ctx, req, "out", err)
	}
	address, err := b.address(ctx, s3Source{}, key, version["version_id"])
	return Result{Version: version, Metadata: s.metadata(key, address)}, err
}

// one is the single file that a pattern matches.
func (s *scratch) one(ctx context.Context, req Request, glob string) (spooled, error) {
	files, err := s.match(ctx, req, glob)
	switch {
	case err != nil:
		return spooled{}, err
	case len(files) == 0:
		return spooled{}, fmt.Errorf("no file matches %s", glob)
	case len(files) > 1:
		return spooled{}, fmt.Errorf("more than one file matches %s: %s and %s", glob, files[0].name, files[1].name)
	}
	return files[0], nil
}

func (b bucket) upload(ctx context.Context, req Request, s s3Source, file spooled, key string, opts minio.PutObjectOptions) (Version, error) {
	if s.file != "" {
		// Before a restart this very put may have come to its end.
		if info, err := b.StatObject(ctx, b.name, key, minio.StatObjectOptions{}); err == nil && info.UserMetadata[putMark] == string(req.Container) && info.VersionID != "" {
			return Version{"version_id": info.VersionID}, nil
		}
	}
	if _, err := fmt.Fprintf(req.Log, "uploading %s to %s in the bucket %s\n", file.name, key, b.name); err != nil {
		return nil, err
	}
	info, err := b.FPutObject(ctx, b.name, key, file.path, opts)
	if err != nil {
		return nil, err
	}
	if s.file != "" {
		if info.VersionID == "" {
			return nil, errUnversioned
		}
		return Version{"version_id": info.VersionID}, nil
	}
	if _, _, ok := s.extract(key); !ok {
		if _, err := fmt.Fprintf(req.Log, "warning: %s does not match source.regexp, so no check will find it\n", key); err != nil {
			return nil, err
		}
	}
	return Version{"path": key}, nil
}
