package resolve

import "slices"

// Universe is everything that the sources of one variant offer. It may serve many nodes at once.
type Universe struct {
	rules  Rules
	byName map[string][]*Package // by name and by what they provide, newest first
	byKey  map[string][]*Package
}

// NewUniverse indexes what there is.
func NewUniverse(rules Rules, available []Package) *Universe {
	u := &Universe{rules: rules, byName: map[string][]*Package{}, byKey: map[string][]*Package{}}
	for i := range available {
		p := &available[i]
		u.byKey[rules.key(p)] = append(u.byKey[rules.key(p)], p)
		u.byName[p.Name] = append(u.byName[p.Name], p)
		for _, c := range p.Provides {
			if list := u.byName[c.Name]; c.Name != p.Name && (len(list) == 0 || list[len(list)-1] != p) {
				u.byName[c.Name] = append(list, p)
			}
		}
	}
	for _, lists := range []map[string][]*Package{u.byKey, u.byName} {
		for _, list := range lists {
			slices.SortStableFunc(list, func(a, b *Package) int { return u.order(a, b) })
		}
	}
	return u
}

// order puts newer before older, and of the same version what a security source offers first.
func (u *Universe) order(a, b *Package) int {
	if a.Name != b.Name {
		if a.Name < b.Name {
			return -1
		}
		return 1
	}
	if c := u.rules.Compare(b.Version, a.Version); c != 0 {
		return c
	}
	switch {
	case a.Security == b.Security:
		return 0
	case a.Security:
		return -1
	}
	return 1
}

// Find is the package at exactly this version, or nil.
func (u *Universe) Find(name, version, arch string) *Package {
	for _, p := range u.byKey[u.rules.key(&Package{Name: name, Arch: arch})] {
		if u.rules.Compare(p.Version, version) == 0 {
			return p
		}
	}
	return nil
}

// Versions lists what there is of a package, newest first.
func (u *Universe) Versions(name, arch string) []*Package {
	return u.byKey[u.rules.key(&Package{Name: name, Arch: arch})]
}

// Complete gives a package that is known only by name and version, as inventories tell, the
// relations that its own version has in the sources. Where that version is gone, it gets the
// capabilities of the nearest one and no needs.
func (u *Universe) Complete(p Package) Package {
	if known := u.Find(p.Name, p.Version, p.Arch); known != nil {
		p.Shared, p.Same, p.Provides, p.Requires, p.Conflicts = known.Shared, known.Same, known.Provides, known.Requires, known.Conflicts
		return p
	}
	if others := u.Versions(p.Name, p.Arch); len(others) > 0 {
		near := others[len(others)-1]
		p.Shared, p.Same = near.Shared, near.Same
		for _, c := range near.Provides {
			if c.Version == near.Version {
				c.Version = p.Version
			}
			p.Provides = append(p.Provides, c)
		}
	}
	return p
}
