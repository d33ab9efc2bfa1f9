package build

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox/signalbox/agents/bundle"
)

// pair is one delta that may be worth its while.
type pair struct {
	to, base *chosen
	delta    *bundle.Delta
	norm     [2]string // hashes of the normalised forms: to, base
	size     [2]int64
}

// deltas makes what is smaller than the package itself. Packages of rpm have none: their
// signatures cover the compressed bytes.
func (v *variantBuild) deltas(ctx context.Context) error {
	var pairs []*pair
	if v.spec.Deltas != "none" && v.out.PackageSystem == bundle.APT {
		for _, c := range v.packages {
			for _, base := range c.bases {
				pairs = append(pairs, &pair{to: c, base: base})
			}
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range pairs {
		g.Go(func() error { return v.delta(ctx, p) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range pairs {
		if p.delta == nil {
			continue
		}
		v.report.Deltas++
		p.to.out.NormSHA256, p.to.out.NormSize = p.norm[0], p.size[0]
		p.base.out.NormSHA256, p.base.out.NormSize = p.norm[1], p.size[1]
		p.to.out.Deltas = append(p.to.out.Deltas, *p.delta)
	}
	for _, c := range v.packages {
		slices.SortFunc(c.out.Deltas, func(a, b bundle.Delta) int { return strings.Compare(a.BaseSHA256, b.BaseSHA256) })
		least := c.out.Size
		for _, d := range c.out.Deltas {
			least = min(least, d.Size)
		}
		v.report.Whole += c.out.Size
		v.report.Least += least
		if len(c.bases) > 0 {
			v.report.WithBase += c.out.Size
		}
	}
	return nil
}

func (v *variantBuild) delta(ctx context.Context, p *pair) error {
	to, normTo, sizeTo, err := v.store.plain(ctx, p.to.item.sha)
	if err != nil {
		return err
	}
	base, normBase, sizeBase, err := v.store.plain(ctx, p.base.item.sha)
	if err != nil {
		return err
	}
	algo := bundle.ZstdDict
	if sizeBase > bundle.MaxDeltaBase || sizeTo > bundle.MaxDeltaTarget {
		algo = bundle.ZstdSegments
	}
	if sizeBase > bundle.MaxSegmented || sizeTo > bundle.MaxSegmented {
		return nil
	}
	data, err := v.store.delta(ctx, algo, base, to)
	if err != nil || int64(len(data))*10 >= p.to.item.size*9 {
		return err // what saves less than a tenth only makes the bundle larger
	}
	sha, size, err := v.store.keep(bytes.NewReader(data), "")
	if err != nil {
		return err
	}
	p.norm, p.size = [2]string{normTo, normBase}, [2]int64{sizeTo, sizeBase}
	p.delta = &bundle.Delta{BaseSHA256: normBase, SHA256: sha, Size: size, Algo: algo}
	return nil
}

// delta makes one or finds it where an earlier build left it.
func (s *store) delta(ctx context.Context, algo, base, to string) ([]byte, error) {
	at := filepath.Join(s.dir, "deltas", filepath.Base(base)[65:]+"-"+filepath.Base(to)[65:])
	if algo == bundle.ZstdSegments {
		at += ".segments"
	}
	if data, err := os.ReadFile(at); err == nil {
		return data, s.used(at)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	data, err := makeDelta(ctx, algo, base, to)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return nil, err
	}
	part, err := os.CreateTemp(s.dir, "part-*")
	if err != nil {
		return nil, err
	}
	_, err = part.Write(data)
	if err := errors.Join(err, part.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(part.Name()))
	}
	return data, os.Rename(part.Name(), at)
}

func makeDelta(ctx context.Context, algo, base, to string) ([]byte, error) {
	if algo == bundle.ZstdDict {
		old, err := os.ReadFile(base)
		if err != nil {
			return nil, err
		}
		target, err := os.ReadFile(to)
		if err != nil {
			return nil, err
		}
		return bundle.MakeDelta(old, target)
	}
	old, err := os.Open(base)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return nil, err
	}
	target, err := os.Open(to)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	var out bytes.Buffer
	err = bundle.MakeSegments(ctx, old, info.Size(), target, &out)
	return out.Bytes(), err
}
