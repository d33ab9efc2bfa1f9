package resource

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Get writes the image as an artifact (rootfs/ and metadata.json), or with the parameter
// format as image.tar (oci) or in the folder oci/ (oci-layout). What does not match its digest is refused, and then
// there is no volume at all.
func (t registryType) Get(ctx context.Context, req Request) (Result, error) {
	s, err := t.source(req)
	if err != nil {
		return Result{}, err
	}
	f := paramsOf(req)
	format := f.oneOf("format", "rootfs", "oci", "oci-layout")
	skip := f.boolean("skip_download")
	if f.err != nil {
		return Result{}, f.err
	}
	digest, err := v1.NewHash(req.Version["digest"])
	if err != nil {
		return Result{}, fmt.Errorf("the version's digest %q is not one: %w", req.Version["digest"], err)
	}
	opts, done, err := t.client(ctx, s)
	if err != nil {
		return Result{}, err
	}
	defer done()
	tag := cmpTag(req.Version, s)
	if _, err := fmt.Fprintf(req.Log, "fetching %s@%s\n", s.repository, digest); err != nil {
		return Result{}, err
	}
	writeErr := error(nil)
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error {
		writeErr = s.write(out, digest, tag, format, skip, opts)
		return writeErr
	})
	if writeErr != nil && !errors.Is(writeErr, errImport) {
		return Result{}, failed(ctx, req, "in", remoteWords(writeErr))
	}
	if err != nil {
		return Result{}, err
	}
	return Result{Version: req.Version, Metadata: []Field{
		{Name: "repository", Value: s.repository}, {Name: "tag", Value: tag}, {Name: "digest", Value: digest.String()},
	}}, nil
}

func cmpTag(v Version, s registrySource) string {
	if v["tag"] != "" {
		return v["tag"]
	}
	return s.wantedTag()
}

// write puts the files beside the image first: a reader finds them without unpacking.
func (s registrySource) write(out *tar.Writer, digest v1.Hash, tag, format string, skip bool, opts []remote.Option) error {
	err := errors.Join(
		addFile(out, "repository", []byte(s.repository)),
		addFile(out, "tag", []byte(tag)),
		addFile(out, "digest", []byte(digest.String())))
	if err != nil || skip {
		return err
	}
	image, err := s.image(digest, opts)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	labels, err := json.Marshal(orEmpty(config.Config.Labels))
	if err != nil {
		return err
	}
	if err := addFile(out, "labels.json", labels); err != nil {
		return err
	}
	switch format {
	case "oci":
		return s.writeTarball(out, image, tag)
	case "oci-layout":
		return writeLayout(out, image, tag)
	}
	return writeRootfs(out, image, config.Config)
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// image finds the image of the platform; remote ones verify whatever is read of them.
func (s registrySource) image(digest v1.Hash, opts []remote.Option) (v1.Image, error) {
	if s.layout != "" {
		return layoutImage(s, digest)
	}
	repository, err := s.name()
	if err != nil {
		return nil, err
	}
	return remote.Image(repository.Digest(digest.String()), opts...)
}

// imageMetadata is metadata.json of an image artifact.
type imageMetadata struct {
	Env        []string `json:"env"`
	User       string   `json:"user"`
	Cmd        []string `json:"cmd"`
	Entrypoint []string `json:"entrypoint"`
	WorkingDir string   `json:"workingDir,omitempty"`
}

func writeRootfs(out *tar.Writer, image v1.Image, config v1.Config) error {
	meta := imageMetadata{Env: config.Env, User: config.User, Cmd: config.Cmd, Entrypoint: config.Entrypoint, WorkingDir: config.WorkingDir}
	for _, list := range []*[]string{&meta.Env, &meta.Cmd, &meta.Entrypoint} {
		if *list == nil {
			*list = []string{}
		}
	}
	data, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	if err := errors.Join(addFile(out, "metadata.json", data), addFolder(out, "rootfs")); err != nil {
		return err
	}
	flat := mutate.Extract(image)
	err = prefixTree(out, tar.NewReader(flat), "rootfs")
	if err == nil {
		// The digest of the last layer is checked when its end is reached.
		_, err = io.Copy(io.Discard, flat)
	}
	return errors.Join(err, flat.Close())
}

// prefixTree copies an archive into a folder of another.
func prefixTree(out *tar.Writer, in *tar.Reader, folder string) error {
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		clean := path.Clean("/" + header.Name)
		if clean == "/" {
			continue
		}
		header.Name = folder + clean
		if header.Typeflag == tar.TypeDir {
			header.Name += "/"
		}
		// A hard link names a file of the archive; a symbolic one a path of the image.
		if header.Typeflag == tar.TypeLink {
			header.Linkname = folder + path.Clean("/"+header.Linkname)
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}

func (s registrySource) writeTarball(out *tar.Writer, image v1.Image, tag string) error {
	var ref name.Reference
	var err error
	if repository, nameErr := s.name(); nameErr == nil && s.layout == "" {
		ref = repository.Tag(tag)
	} else if ref, err = name.NewTag("image:" + tag); err != nil {
		return err
	}
	size, err := tarball.CalculateSize(map[name.Reference]v1.Image{ref: image})
	if err != nil {
		return err
	}
	if err := out.WriteHeader(&tar.Header{Name: "image.tar", Typeflag: tar.TypeReg, Mode: 0o644, Size: size}); err != nil {
		return err
	}
	return tarball.Write(ref, image, out)
}

const refAnnotation = "org.opencontainers.image.ref.name"

// layoutDigest finds the tag in a layout's index; a layout of one image needs no tag.
func layoutDigest(s registrySource) (Version, error) {
	index, err := layout.ImageIndexFromPath(s.layout)
	if err != nil {
		return nil, fmt.Errorf("there is no OCI layout at %s: %w", s.repository, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, m := range manifest.Manifests {
		ref := m.Annotations[refAnnotation]
		if ref == s.wantedTag() || strings.HasSuffix(ref, ":"+s.wantedTag()) || s.tag == "" && len(manifest.Manifests) == 1 {
			return Version{"tag": s.wantedTag(), "digest": m.Digest.String()}, nil
		}
		names = append(names, ref)
	}
	return nil, fmt.Errorf("the layout at %s has no image %q, only %q", s.repository, s.wantedTag(), names)
}

// layoutImage reads an image from disk, and every byte of it once for its digest.
func layoutImage(s registrySource, digest v1.Hash) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(s.layout)
	if err != nil {
		return nil, fmt.Errorf("there is no OCI layout at %s: %w", s.repository, err)
	}
	image, err := pickImage(index, digest, s.platform)
	if err != nil {
		return nil, err
	}
	raw, err := image.RawConfigFile()
	if err != nil {
		return nil, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	if err := sameDigest(manifest.Config.Digest, raw); err != nil {
		return nil, err
	}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		if err := verifyLayer(l); err != nil {
			return nil, err
		}
	}
	return image, nil
}

func pickImage(index v1.ImageIndex, digest v1.Hash, platform v1.Platform) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, m := range manifest.Manifests {
		if m.Digest != digest {
			continue
		}
		if m.MediaType.IsIndex() {
			return pickPlatform(index, digest, platform)
		}
		return verifiedImage(index, digest)
	}
	return nil, fmt.Errorf("the layout has no image %s (any more)", digest)
}

func pickPlatform(index v1.ImageIndex, digest v1.Hash, platform v1.Platform) (v1.Image, error) {
	inner, err := index.ImageIndex(digest)
	if err != nil {
		return nil, err
	}
	raw, err := inner.RawManifest()
	if err != nil {
		return nil, err
	}
	if err := sameDigest(digest, raw); err != nil {
		return nil, err
	}
	manifest, err := inner.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, m := range manifest.Manifests {
		if m.Platform != nil && m.Platform.Satisfies(platform) {
			return verifiedImage(inner, m.Digest)
		}
	}
	return nil, fmt.Errorf("no image for %s in %s", platform, digest)
}

func verifiedImage(index v1.ImageIndex, digest v1.Hash) (v1.Image, error) {
	image, err := index.Image(digest)
	if err != nil {
		return nil, err
	}
	raw, err := image.RawManifest()
	if err != nil {
		return nil, err
	}
	return image, sameDigest(digest, raw)
}

func sameDigest(want v1.Hash, data []byte) error {
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); want.Algorithm != "sha256" || got != want.Hex {
		return fmt.Errorf("the content does not match its digest: expected %s, got sha256:%s", want, got)
	}
	return nil
}

func verifyLayer(l v1.Layer) error {
	want, err := l.Digest()
	if err != nil {
		return err
	}
	data, err := l.Compressed()
	if err != nil {
		return err
	}
	got, _, err := v1.SHA256(data)
	if err == nil && got != want {
		err = fmt.Errorf("the content does not match its digest: expected %s, got %s", want, got)
	}
	return errors.Join(err, data.Close())
}
