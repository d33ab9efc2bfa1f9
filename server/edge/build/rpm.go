package build

import (
	"context"
	"errors"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

type rpmSystem struct{ *builder }

func (rpmSystem) name() string { return bundle.RPM }
func (rpmSystem) rules(arch string) resolve.Rules {
	return resolve.Rules{Independent: "noarch", Native: arch}
}

var errX = errors.New("x")

func (rpmSystem) readNode(ctx context.Context, data []byte) (node, error)     { return node{}, errX }
func (rpmSystem) readRoot(ctx context.Context, dir string) (node, error)      { return node{}, errX }
func (rpmSystem) index(ctx context.Context, in repoInput) ([]repoFile, error) { return nil, errX }
func (rpmSystem) load(context.Context, Source, string, time.Time) (loaded, error) {
	return loaded{}, errX
}
func (rpmSystem) fixes(ctx context.Context, it *item, after string) ([]vulnerability, string, error) {
	return nil, "", errX
}
