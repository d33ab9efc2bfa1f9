package resource

import (
	"archive/tar"
	"encoding/json"
	"errors"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layoutFolder holds an image layout, as other tools look for it.
const layoutFolder = "oci/"

// writeLayout writes the image as an OCI layout: blobs under their digests, and an index.
func writeLayout(out *tar.Writer, image v1.Image, tag string) error {
	entry, err := partial.Descriptor(image)
	if err != nil {
		return err
	}
	entry.Annotations = map[string]string{refAnnotation: tag}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{*entry}})
	if err != nil {
		return err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	configDigest, err := image.ConfigName()
	if err != nil {
		return err
	}
	err = errors.Join(
		addFile(out, layoutFolder+"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		addFile(out, layoutFolder+"index.json", index),
		addFile(out, blobName(entry.Digest), manifest),
		addFile(out, blobName(configDigest), config))
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	written := map[v1.Hash]bool{}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		if written[digest] {
			continue
		}
		written[digest] = true
		if err := writeBlobOf(out, layer, digest); err != nil {
			return err
		}
	}
	return nil
}

func blobName(digest v1.Hash) string {
	return layoutFolder + "blobs/" + digest.Algorithm + "/" + digest.Hex
}

// writeBlobOf copies a layer as it is stored; remote ones verify it as they are read.
func writeBlobOf(out *tar.Writer, layer v1.Layer, digest v1.Hash) error {
	size, err := layer.Size()
	if err != nil {
		return err
	}
	data, err := layer.Compressed()
	if err != nil {
		return err
	}
	return errors.Join(copyFile(out, blobName(digest), size, 0o644, data), data.Close())
}
