package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
	"github.com/signalbox/signalbox/server/ci/runtime"
)

// hostType is the image_resource type that means the built-in image.
const hostType = "host"

var errNoHostImage = errors.New("the built-in host image is not allowed here: an administrator has forbidden it (ci.host_image); give the task an image_resource")

// fetchedImage is an image and what identifies it.
type fetchedImage struct {
	runtime.Image
	// Cache is empty for the host image and for images that are artifacts.
	Cache CacheKey
}

// fetch runs the plans that find and fetch an image, in a scope of their own.
func (r *run) fetch(ctx context.Context, check, get *plan.Plan, at position) (fetchedImage, error) {
	here := position{scope: at.scope.inner(), attempts: at.attempts}
	if check != nil {
		ok, err := r.step(ctx, check, here)
		if err != nil {
			return fetchedImage{}, err
		}
		if !ok {
			return fetchedImage{}, errors.New("image check failed")
		}
	}
	ok, err := r.step(ctx, get, here)
	if err != nil {
		return fetchedImage{}, err
	}
	if !ok {
		return fetchedImage{}, errors.New("image fetching failed")
	}
	row, _ := r.row(get.ID)
	kept, err := readResult(row)
	if err != nil {
		return fetchedImage{}, err
	}
	found, ok := here.scope.artifact(get.Get.Name)
	if !ok {
		return fetchedImage{}, errors.New("fetched artifact not found")
	}
	return fetchedImage{Image: runtime.Image{Volume: found.Volume}, Cache: kept.Cache}, nil
}

// typeImage fetches the image of a custom resource type; the zero image for a type of
// the server's own.
func (r *run) typeImage(ctx context.Context, image plan.TypeImage, at position) (fetchedImage, error) {
	if image.Get == nil {
		return fetchedImage{}, nil
	}
	return r.fetch(ctx, image.Check, image.Get, at)
}

// taskImage finds the image of a task: an artifact, an image_resource, or the host.
func (l *leaf) taskImage(ctx context.Context, config pipeline.TaskConfig) (image runtime.Image, env []string, err error) {
	task := l.plan.Task
	switch {
	case task.ImageArtifact != "":
		found, ok := l.at.scope.artifact(task.ImageArtifact)
		if !ok {
			return runtime.Image{}, nil, missingImageError(task.ImageArtifact)
		}
		return l.imageOf(ctx, found.Volume)
	case config.ImageResource != nil && !isHost(*config.ImageResource, task.ResourceTypes):
		fetched, err := l.imageResource(ctx, *config.ImageResource)
		if err != nil {
			return runtime.Image{}, nil, err
		}
		return l.imageOf(ctx, fetched.Volume)
	case config.ImageResource == nil && config.RootfsURI != "":
		return runtime.Image{}, nil, errors.New("rootfs_uri is not supported: use image_resource")
	}
	image, err = l.hostImage(ctx)
	return image, nil, err
}

// isHost tells whether an image_resource means the built-in image. A pipeline may have a
// resource type of that name, which wins.
func isHost(image pipeline.ImageResource, types []pipeline.ResourceType) bool {
	own := slices.ContainsFunc(types, func(t pipeline.ResourceType) bool { return t.Name == hostType })
	return image.Type == hostType && !own
}

func (l *leaf) hostImage(ctx context.Context) (runtime.Image, error) {
	if !l.HostImageAllowed(ctx, l.build) {
		return runtime.Image{}, errNoHostImage
	}
	return runtime.Image{Host: true}, nil
}

func (l *leaf) imageResource(ctx context.Context, image pipeline.ImageResource) (fetchedImage, error) {
	task := l.plan.Task
	image.Name = "image"
	get, check := plan.FetchImage(l.plan.ID, image, task.ResourceTypes, task.Tags, task.CheckSkipInterval, nil)
	if check != nil {
		public, err := check.Public()
		if err != nil {
			return fetchedImage{}, err
		}
		l.emit(event.ImageCheck{Time: l.unix(), Origin: l.origin(), Plan: public})
	}
	public, err := get.Public()
	if err != nil {
		return fetchedImage{}, err
	}
	l.emit(event.ImageGet{Time: l.unix(), Origin: l.origin(), Plan: public})
	return l.fetch(ctx, check, &get, l.at)
}

// imageOf is the image that a volume holds. A volume may say that it stands for the
// built-in image, as that of a mirroring mock does; its environment counts then.
func (l *leaf) imageOf(ctx context.Context, volume runtime.VolumeID) (image runtime.Image, env []string, err error) {
	data, err := l.Executor.ReadFile(ctx, volume, "metadata.json", maxFile)
	if err != nil || !resource.IsHostImage(data) {
		// Whoever starts the container knows better what is missing in an image.
		return runtime.Image{Volume: volume}, nil, nil
	}
	var metadata struct {
		Env []string `json:"env"`
	}
	if err := json.Unmarshal(data, &metadata); err != nil {
		return runtime.Image{}, nil, fmt.Errorf("error parsing metadata.json from rootfs: %w", err)
	}
	image, err = l.hostImage(ctx)
	return image, metadata.Env, err
}
