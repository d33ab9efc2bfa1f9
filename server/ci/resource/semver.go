package resource

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7"
)

// semverType keeps a version number in an object of a bucket.
type semverType struct{ opts Options }

// ResumesPut says that a put may be repeated after a restart: the object knows which
// put wrote it, so nothing is raised twice.
func (semverType) ResumesPut() bool { return true }

type semverSource struct {
	bucketSource
	key     string
	initial string
}

func readSemverSource(req Request) (semverSource, error) {
	f := sourceOf(req)
	if driver := f.text("driver"); driver != "" && driver != "s3" {
		f.fail("driver", fmt.Sprintf("%q is not supported by the built-in type, which keeps the number in a bucket (s3). Declare a resource type semver with an image that supports it.", driver))
	}
	s := semverSource{bucketSource: readBucket(f), key: f.required("key"), initial: cmp.Or(f.text("initial_version"), "0.0.0")}
	if _, err := parseSemantic(s.initial); err != nil && f.err == nil {
		f.fail("initial_version", err.Error())
	}
	return s, f.err
}

func readBump(f *fields) bump {
	b := bump{part: f.text("bump"), pre: f.text("pre"), single: f.boolean("pre_without_version")}
	switch b.part {
	case "", "major", "minor", "patch", "final":
	default:
		f.fail("bump", fmt.Sprintf("must be major, minor, patch or final, but is %q. Correct it in the pipeline.", b.part))
	}
	if b.pre != "" && (strings.Contains(b.pre, ".") || !strictNumber.MatchString("0.0.0-"+b.pre)) {
		f.fail("pre", fmt.Sprintf("%q is not a kind of pre-release. Write one like rc.", b.pre))
	}
	f.refuse("build", "build_without_version", "get_latest")
	return b
}

// stored is the number as the bucket has it.
type stored struct {
	number number
	etag   string // "" when there is no object
	mark   string // the put that wrote it
}

func (b bucket) number(ctx context.Context, s semverSource) (stored, error) {
	body, info, _, err := minio.Core{Client: b.Client}.GetObject(ctx, b.name, s.key, minio.GetObjectOptions{})
	if err == nil {
		data, readErr := readAtMost(body, 64<<10)
		if err := errors.Join(readErr, body.Close()); err != nil {
			return stored{}, err
		}
		now := stored{etag: info.ETag, mark: info.UserMetadata[putMark]}
		if text := strings.TrimSpace(string(data)); text != "" {
			now.number, err = parseSemantic(text)
			return now, err
		}
		now.number, err = parseSemantic(s.initial)
		return now, err
	}
	if !missingObject(err) {
		return stored{}, err
	}
	initial, err := parseSemantic(s.initial)
	return stored{number: initial}, err
}

// Check reads the number; one that went down is no new version.
func (t semverType) Check(ctx context.Context, req Request) ([]Version, error) {
	s, err := readSemverSource(req)
	if err != nil {
		return nil, err
	}
	b, err := t.opts.bucket(req, s.bucketSource)
	if err != nil {
		return nil, err
	}
	defer b.done()
	now, err := b.number(ctx, s)
	if err != nil {
		return nil, b.failed(ctx, req, "check", err)
	}
	if known, err := parseSemantic(req.Version["number"]); err == nil && compareNumbers(now.number, known) < 0 {
		return []Version{}, nil
	}
	return []Version{{"number": now.number.String()}}, nil
}

// Get writes the number, raised if the params say so. The bucket is not changed.
func (t semverType) Get(ctx context.Context, req Request) (Result, error) {
	_, err := readSemverSource(req)
	f := paramsOf(req)
	raise := readBump(f)
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	n, err := parseSemantic(req.Version["number"])
	if err == nil {
		n, err = raise.apply(n)
	}
	if err != nil {
		return Result{}, failed(ctx, req, "in", err)
	}
	text := n.String()
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error {
		return errors.Join(addFile(out, "version", []byte(text)), addFile(out, "number", []byte(text)))
	})
	return Result{Version: req.Version, Metadata: []Field{{Name: "number", Value: text}}}, err
}

// Put writes the number of a file, or raises the current one.
func (t semverType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := readSemverSource(req)
	f := paramsOf(req)
	raise := readBump(f)
	file := f.text("file")
	if (file == "") == raise.empty() {
		f.fail("file", "or params.bump or params.pre must be there, and not both. Correct it in the pipeline.")
	}
	if err := errors.Join(err, f.err); err != nil {
		return Result{}, err
	}
	var wanted *number
	if file != "" {
		text, err := paramFile(ctx, req, f, "file")
		if err != nil {
			return Result{}, failed(ctx, req, "out", err)
		}
		n, err := parseSemantic(strings.TrimSpace(text))
		if err != nil {
			return Result{}, failed(ctx, req, "out", fmt.Errorf("params.file: %w", err))
		}
		wanted = &n
	}
	b, err := t.opts.bucket(req, s.bucketSource)
	if err != nil {
		return Result{}, err
	}
	defer b.done()
	n, err := t.write(ctx, req, b, s, func(now number) (number, error) {
		if wanted != nil {
			return *wanted, nil
		}
		return raise.apply(now)
	})
	if err != nil {
		return Result{}, b.failed(ctx, req, "out", err)
	}
	if _, err := fmt.Fprintf(req.Log, "the version is %s\n", n); err != nil {
		return Result{}, err
	}
	return Result{Version: Version{"number": n.String()}, Metadata: []Field{{Name: "number", Value: n.String()}}}, nil
}

// write replaces the number that was read and no other: if another build was faster,
// its number is the one that is raised.
func (t semverType) write(ctx context.Context, req Request, b bucket, s semverSource, next func(number) (number, error)) (number, error) {
	mark := string(req.Container)
	for attempt := 1; ; attempt++ {
		now, err := b.number(ctx, s)
		if err != nil || now.mark == mark {
			return now.number, err
		}
		n, err := next(now.number)
		if err != nil {
			return n, err
		}
		err = b.replace(ctx, s, n.String(), mark, now.etag)
		status := minio.ToErrorResponse(err).StatusCode
		switch {
		case err == nil:
			return n, nil
		case attempt == 10 || status != 412 && status != 409:
			return n, err
		}
		if _, err := fmt.Fprintln(req.Log, "another build has changed the version meanwhile; beginning again with its number"); err != nil {
			return n, err
		}
	}
}

// replace writes on the condition that the object is still the one that was read.
// Services that know no conditions say so, and get an unconditional write.
func (b bucket) replace(ctx context.Context, s semverSource, text, mark, etag string) error {
	for _, conditional := range []bool{true, false} {
		opts := minio.PutObjectOptions{ContentType: "text/plain", UserMetadata: map[string]string{putMark: mark}}
		if conditional && etag != "" {
			opts.SetMatchETag(etag)
		} else if conditional {
			opts.SetMatchETagExcept("*")
		}
		_, err := b.PutObject(ctx, b.name, s.key, strings.NewReader(text), int64(len(text)), opts)
		if err == nil || minio.ToErrorResponse(err).Code != "NotImplemented" {
			return err
		}
	}
	return errors.New("the service takes neither a conditional nor a plain write")
}
