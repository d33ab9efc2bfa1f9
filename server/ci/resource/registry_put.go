package resource

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// Put pushes an image archive, as "docker save" and "format: oci" write it, under the
// source's tag, a version and further tags.
func (t registryType) Put(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	if s.layout != "" {
		return Result{}, errors.New("source.layout can only be read. Push to a registry")
	}
	f := paramsOf(req)
	file, tagsFile, version := f.required("image"), f.text("additional_tags"), f.text("version")
	aliases := f.boolean("bump_aliases")
	if f.err != nil {
		return Result{}, f.err
	}
	tags, err := s.putTags(version, aliases)
	if err != nil {
		return Result{}, err
	}
	if tagsFile != "" {
		data, err := readInput(ctx, req, tagsFile, 1<<20)
		if err != nil {
			return Result{}, failed(ctx, req, "out", fmt.Errorf("params.additional_tags: %w", err))
		}
		tags = append(tags, strings.Fields(string(data))...)
	}
	if len(tags) == 0 {
		return Result{}, errors.New("there is no tag to push. Add source.tag, params.version or params.additional_tags")
	}
	slices.Sort(tags[1:])
	tags = slices.Compact(tags)
	archive, err := t.fetchInput(ctx, req, file)
	if err != nil {
		return Result{}, failed(ctx, req, "out", fmt.Errorf("params.image: %w", err))
	}
	defer os.Remove(archive) //nolint:errcheck // a temporary file; nothing can be done about one that stays
	digest, err := t.push(ctx, req, s, archive, tags)
	if err != nil {
		return Result{}, failed(ctx, req, "out", remoteWords(err))
	}
	found := Version{"tag": tags[0], "digest": digest.String()}
	return Result{Version: found, Metadata: []Field{
		{Name: "repository", Value: s.repository}, {Name: "tags", Value: strings.Join(tags, " ")}, {Name: "digest", Value: digest.String()},
	}}, nil
}

// putTags are the source's tag, or the version with the variant and its aliases.
func (s registrySource) putTags(version string, aliases bool) ([]string, error) {
	var tags []string
	if s.tag != "" {
		tags = append(tags, s.tag)
	}
	if version == "" {
		return tags, nil
	}
	m := releaseTag.FindStringSubmatch(version)
	if m == nil {
		return nil, fmt.Errorf("params.version %q is not a version. Write one like 1.2.3", version)
	}
	names := []string{version}
	if aliases && m[4] == "" {
		names = append(names, m[1]+"."+m[2], m[1])
	}
	for _, n := range names {
		if s.variant != "" {
			n += "-" + s.variant
		}
		tags = append(tags, n)
	}
	if aliases && m[4] == "" {
		tags = append(tags, s.wantedTag())
	}
	return tags, nil
}

// push uploads the image once and names it by each tag.
func (t registryType) push(ctx context.Context, req Request, s registrySource, archive string, tags []string) (v1.Hash, error) {
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("params.image is not an image archive: %w", err)
	}
	digest, err := image.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	repository, err := s.name()
	if err != nil {
		return v1.Hash{}, err
	}
	opts, done, err := t.client(ctx, s)
	if err != nil {
		return v1.Hash{}, err
	}
	defer done()
	for i, tag := range tags {
		if _, err := fmt.Fprintf(req.Log, "pushing %s:%s\n", s.repository, tag); err != nil {
			return v1.Hash{}, err
		}
		if i == 0 {
			err = remote.Write(repository.Tag(tag), image, opts...)
		} else {
			err = remote.Tag(repository.Tag(tag), image, opts...)
		}
		if err != nil {
			return v1.Hash{}, err
		}
	}
	return digest, nil
}

// fetchInput copies one file of an input to this machine, where it can be read in any order.
func (t registryType) fetchInput(ctx context.Context, req Request, name string) (string, error) {
	volume, rest, err := findInput(req, name)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(t.opts.TempDir, "image-*.tar")
	if err != nil {
		return "", err
	}
	err = exportFile(ctx, req.Executor, volume, rest, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

func exportFile(ctx context.Context, executor runtime.Executor, volume runtime.VolumeID, name string, into io.Writer) error {
	from, to := io.Pipe()
	go func() { to.CloseWithError(executor.ExportVolume(ctx, volume, name, to)) }()
	err := firstFile(from, into)
	from.CloseWithError(err)
	return err
}

// firstFile copies the first regular file of a compressed archive.
func firstFile(from io.Reader, into io.Writer) error {
	plain, err := gzip.NewReader(from)
	if err != nil {
		return err
	}
	for in := tar.NewReader(plain); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return errors.New("it is not a file")
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeReg {
			_, err = io.Copy(into, in) //nolint:gosec // the size is that of the volume, which is bounded
			return err
		}
	}
}
