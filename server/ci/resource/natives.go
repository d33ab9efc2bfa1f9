package resource

import (
	"context"
	"maps"
	"net"
	"slices"
	"time"
)

// Options are what the native types need from outside.
type Options struct {
	// LocalRepositories are the folders of this machine that an administrator lists:
	// git repositories and image layouts below them may be read.
	LocalRepositories []string
	// Dial makes outgoing connections of types that talk from this process. It is the
	// place where private addresses are refused. Nil dials anything: for tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HostImageAllowed says whether the built-in image may be used: git runs in it, and
	// mock's mirror_self is it.
	HostImageAllowed bool
	// TempDir holds an image while it is put; the system's when empty.
	TempDir string
	// BuildBundle makes patch bundles in BundleDir; nil makes none.
	BuildBundle BuildBundle
	BundleDir   string
	Now         func() time.Time
	// pause stands for waiting, in tests.
	pause func(ctx context.Context, d time.Duration) error
}

func (o Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

func (o Options) sleep(ctx context.Context, d time.Duration) error {
	if o.pause != nil {
		return o.pause(ctx, d)
	}
	return wait(ctx, d)
}

// Natives are the types that need no image.
type Natives struct{ types map[string]Type }

// NewNatives makes them.
func NewNatives(opts Options) *Natives {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Natives{types: map[string]Type{
		"git":                 gitType{opts},
		"github-pull-request": githubPullType{opts},
		"github-release":      githubReleaseType{opts},
		"github-webhook":      githubWebhookType{opts},
		"http":                webhookType{opts},
		"mock":                mockType{opts},
		"patch-bundle":        patchBundleType{opts},
		"registry-image":      registryType{opts},
		"s3":                  s3Type{opts},
		"semver":              semverType{opts},
		"slack-notification":  slackType{opts},
		"time":                timeType{opts},
		"webhook":             webhookType{opts},
	}}
}

// Native finds a type by the name that a pipeline uses.
func (n *Natives) Native(name string) (Type, bool) {
	t, ok := n.types[name]
	return t, ok
}

// Names lists them in order.
func (n *Natives) Names() []string { return slices.Sorted(maps.Keys(n.types)) }
