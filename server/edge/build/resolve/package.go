package resolve

// Relation asks for a package or a capability, at some version. Op is one of "", "<<", "<=",
// "=", ">=" and ">>".
type Relation struct {
	Name, Op, Version string
	// NameOnly leaves capabilities out: what obsoletes a package means that package.
	NameOnly bool
	// AnyArch is met by a package of whatever architecture.
	AnyArch bool
}

func (r Relation) String() string {
	if r.Op == "" {
		return r.Name
	}
	return r.Name + " (" + r.Op + " " + r.Version + ")"
}

// Clause holds alternatives; one of them is enough.
type Clause []Relation

func (c Clause) String() string {
	text := ""
	for i, r := range c {
		if i > 0 {
			text += " | "
		}
		text += r.String()
	}
	return text
}

// Capability is what a package offers besides itself: a virtual package, a library, a file.
type Capability struct{ Name, Version string }

// Package is one version of one package, installed or to be had.
type Package struct {
	Name, Version, Arch string
	// Shared packages serve those of other architectures too.
	Shared bool
	// Same packages are installed for several architectures only at one version.
	Same      bool
	Provides  []Capability
	Requires  []Clause
	Conflicts []Relation
	// Security says that it comes from a source of security updates.
	Security bool
	// Ref is the caller's own record of it.
	Ref int
}

func (p *Package) id() string { return p.Name + ":" + p.Arch + "=" + p.Version }

// Rules are what differs between formats.
type Rules struct {
	Compare func(a, b string) int
	// Independent is the format's word for packages of no architecture.
	Independent string
	// Native is the architecture that independent packages count as.
	Native string
	// LooseProvides lets a capability without a version meet a relation that asks for one, as
	// rpm does and dpkg does not.
	LooseProvides bool
}

// key is the slot that a package takes on a node: one version of it can be installed there.
func (r Rules) key(p *Package) string {
	arch := p.Arch
	if arch == r.Independent {
		arch = r.Native
	}
	return p.Name + ":" + arch
}

func (r Rules) inRange(version string, rel Relation) bool {
	c := r.Compare(version, rel.Version)
	switch rel.Op {
	case "<<":
		return c < 0
	case "<=":
		return c <= 0
	case "=":
		return c == 0
	case ">=":
		return c >= 0
	case ">>":
		return c > 0
	}
	return true
}

// meets says whether p answers rel as asked by a package of the given architecture.
func (r Rules) meets(p *Package, rel Relation, arch string) bool {
	if !rel.AnyArch && !p.Shared && p.Arch != arch && p.Arch != r.Independent && (arch != r.Independent || p.Arch != r.Native) {
		return false
	}
	if p.Name == rel.Name && r.inRange(p.Version, rel) {
		return true
	}
	if rel.NameOnly {
		return false
	}
	for _, c := range p.Provides {
		switch {
		case c.Name != rel.Name:
		case rel.Op == "":
			return true
		case c.Version == "":
			if r.LooseProvides {
				return true
			}
		case r.inRange(c.Version, rel):
			return true
		}
	}
	return false
}
