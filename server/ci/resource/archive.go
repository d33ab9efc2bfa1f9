package resource

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/runtime"
)

// fill replaces the empty volume by one made from what write puts into a tar stream.
// If write fails there is no volume afterwards.
func fill(ctx context.Context, executor runtime.Executor, id runtime.VolumeID, write func(*tar.Writer) error) error {
	if err := executor.RemoveVolume(ctx, id); err != nil {
		return err
	}
	from, to := io.Pipe()
	done := make(chan error, 1)
	go func() {
		out := tar.NewWriter(to)
		err := write(out)
		if err == nil {
			err = out.Close()
		}
		to.CloseWithError(err)
		done <- err
	}()
	err := executor.ImportVolume(ctx, id, from)
	// An import may stop reading at the end of the archive, before the pipe's end.
	if err == nil {
		_, err = io.Copy(io.Discard, from)
	}
	from.CloseWithError(errors.Join(errImport, err))
	if written := <-done; written != nil && !errors.Is(written, errImport) {
		return errors.Join(written, removeAfter(ctx, executor, id))
	}
	return err
}

var errImport = errors.New("the volume is not being made any more")

func removeAfter(ctx context.Context, executor runtime.Executor, id runtime.VolumeID) error {
	return executor.RemoveVolume(context.WithoutCancel(ctx), id)
}

// addFile writes one file with its folders, given a name with forward slashes that
// must stay below the volume's root.
func addFile(out *tar.Writer, name string, data []byte) error {
	return copyFile(out, name, int64(len(data)), 0o644, bytes.NewReader(data))
}

func addFolder(out *tar.Writer, name string) error {
	return out.WriteHeader(&tar.Header{Name: name + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: time.Unix(0, 0)})
}

// relative is a path inside an artifact: never absolute, never upwards.
func relative(name string) (string, error) {
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			return "", fmt.Errorf("the path %q leads out of its folder. Write one without \"..\"", name)
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", fmt.Errorf("the path %q names no file", name)
	}
	return strings.Join(parts, "/"), nil
}
