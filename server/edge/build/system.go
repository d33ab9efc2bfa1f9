package build

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
	"github.com/signalbox/signalbox/server/edge/build/resolve"
)

// item is one package file that a source has.
type item struct {
	resolve.Package
	source, sourceVersion string
	address               string // where to fetch it; "" for what the store has already
	sha                   string
	size, installedSize   int64
	old                   bool
	// check looks at the fetched file where the index alone is not to be believed.
	check func(path string) error
}

// vulnerability is one that a version of a source package no longer has.
type vulnerability struct{ cve, source, version, advisory, severity string }

// loaded is what a source has and what vouches for it.
type loaded struct {
	items  []item
	origin bundle.Source
	date   time.Time
	// fixes are told by the source itself, as rpm's advisories do.
	fixes []vulnerability
	// signers are public keys that sign the packages themselves.
	signers []byte
}

// node is what one machine has.
type node struct {
	name      string
	installed []resolve.Package
	held      map[string]bool
	// sources maps a package's name and version to those of its source.
	sources map[string][2]string
	// arch is its own architecture, where the input tells.
	arch string
	// complete says that the needs of what is installed are known, as dpkg's status tells them.
	complete bool
}

// repoInput is what an index is made of.
type repoInput struct {
	codename, name string
	archs          []string
	created        time.Time
	packages       []chosen
	signers        []byte
}

// repoFile is one file of a local repository's index.
type repoFile struct {
	path string
	data []byte
}

// system is how one family of distributions does things.
type system interface {
	name() string
	rules(arch string) resolve.Rules
	// readNode reads its own format of what is installed.
	readNode(ctx context.Context, data []byte) (node, error)
	// readRoot looks into the root folder of a system.
	readRoot(ctx context.Context, dir string) (node, error)
	load(ctx context.Context, s Source, archs []string, now time.Time) (loaded, error)
	index(ctx context.Context, in repoInput) ([]repoFile, error)
	// fixes reads the changelog of one package file; linked names another package of the
	// same source whose file has it.
	fixes(ctx context.Context, it *item, after string) (found []vulnerability, linked string, err error)
}

func (b *builder) system(osID string) (system, error) {
	switch osID {
	case "debian", "ubuntu", "raspbian", "linuxmint", "devuan", "kali", "pop", "proxmox":
		return aptSystem{b}, nil
	case "rhel", "rocky", "almalinux", "centos", "fedora", "ol", "amzn", "opensuse-leap", "sles", "openEuler":
		return rpmSystem{b}, nil
	}
	return nil, fmt.Errorf("%q is not an operating system that bundles can be built for (debian, ubuntu, rhel, rocky, almalinux, centos, fedora …)", osID)
}
