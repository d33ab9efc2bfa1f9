package resolve

import (
	"fmt"
	"maps"
	"slices"
)

// Problem is one node and what may be done to it.
type Problem struct {
	Installed []Package
	// Held names packages that the node refuses to change.
	Held map[string]bool
	// Want says whether a newer version is to be installed for its own sake.
	Want func(installed, candidate *Package) bool
	// Pin asks for one version of a package, be it older.
	Pin map[string]string
	// MayAdd and MayRemove permit packages that come or go besides; nil permits none.
	MayAdd, MayRemove func(name string) bool
}

// Change is one package's step.
type Change struct{ From, To *Package }

// Kept is an update that was wanted and is not made.
type Kept struct{ Name, Arch, Installed, Candidate, Reason string }

// Result is what to do. The lists are sorted by name.
type Result struct {
	Changes []Change
	New     []*Package
	Removed []*Package
	Kept    []Kept
}

// attempt is one try at a solution, with what earlier tries found impossible.
type attempt struct {
	*Problem
	u       *Universe
	before  *node
	now     *node
	banned  map[string]string // package id: why
	leaving map[string]bool
}

// Resolve finds the updates for one node. The same problem has the same result every time.
func Resolve(u *Universe, p Problem) Result {
	before := newNode(u.rules)
	for i := range p.Installed {
		before.put(&p.Installed[i])
	}
	banned := map[string]string{}
	for {
		a := &attempt{Problem: &p, u: u, before: before, now: before.clone(), banned: banned, leaving: map[string]bool{}}
		if a.solve() {
			return a.result()
		}
	}
}

// solve is false when it banned something, so that all has to be thought over. Each time
// bans one more version, so there is an end.
func (a *attempt) solve() bool {
	for _, key := range a.before.keys() {
		if to := a.wanted(a.before.at[key]); to != nil {
			a.now.put(to)
		}
	}
	for {
		v, found := a.violation()
		if !found {
			return true
		}
		if !a.mend(v) {
			return false
		}
	}
}

// wanted is the newest version that the policy asks for, nil when that is the installed one.
func (a *attempt) wanted(have *Package) *Package {
	if a.Held[have.Name] {
		return nil
	}
	pin, pinned := a.Pin[have.Name]
	for _, p := range a.u.byKey[a.u.rules.key(have)] {
		c := a.u.rules.Compare(p.Version, have.Version)
		switch {
		case a.banned[p.id()] != "" || c == 0:
		case pinned && a.u.rules.Compare(p.Version, pin) == 0:
			return p
		case !pinned && c > 0 && a.Want(have, p):
			return p
		}
	}
	return nil
}

// violation is a need that is not met, or two packages that do not go together.
type violation struct {
	of     *Package
	clause Clause
	rel    Relation
	other  *Package
}

func (a *attempt) violation() (violation, bool) {
	for _, key := range a.now.keys() {
		p := a.now.at[key]
		was := a.before.at[key]
		for _, clause := range p.Requires {
			if !a.now.satisfied(clause, p.Arch) && !a.brokenBefore(was, p, clause) {
				return violation{of: p, clause: clause}, true
			}
		}
		if other := a.now.apart(p); other != nil && (was != p || a.changed(other)) {
			return violation{of: p, rel: Relation{Name: p.Name, Op: "<<", Version: p.Version}, other: other}, true
		}
		for _, rel := range p.Conflicts {
			if other := a.now.conflicting(p, rel); other != nil && !(was == p && a.before.at[a.u.rules.key(other)] == other) {
				return violation{of: p, rel: rel, other: other}, true
			}
		}
	}
	return violation{}, false
}

// brokenBefore forgives what the node lived with already, or what it has and we cannot see:
// an inventory does not tell each library and file.
func (a *attempt) brokenBefore(was, p *Package, clause Clause) bool {
	if was == nil || a.before.satisfied(clause, was.Arch) {
		return false
	}
	return was == p || slices.ContainsFunc(was.Requires, func(c Clause) bool { return slices.Equal(c, clause) })
}

// mend brings in what is missing, or bans what cannot be helped and returns false.
func (a *attempt) mend(v violation) bool {
	if v.other != nil {
		return a.mendConflict(v)
	}
	for _, rel := range v.clause {
		if p := a.provider(v.of, rel); p != nil {
			a.now.put(p)
			return true
		}
	}
	if a.changed(v.of) {
		return a.ban(v.of, "it needs "+v.clause.String())
	}
	if a.replace(v.of) {
		return true
	}
	// An unchanged package lost something: whoever gave it before must stay as it was.
	for _, key := range a.before.keys() {
		was := a.before.at[key]
		now := a.now.at[key]
		if now != was && a.before.answers(was, v.clause, v.of.Arch) {
			if now == nil {
				a.leaving[key] = false
				return a.banRemoval(key)
			}
			return a.ban(now, fmt.Sprintf("%s %s needs %s", v.of.Name, v.of.Version, v.clause))
		}
	}
	return a.ban(v.of, "it needs "+v.clause.String())
}

func (a *attempt) banRemoval(key string) bool {
	a.banned["remove "+key] = "it is needed"
	return false
}

func (a *attempt) mendConflict(v violation) bool {
	if a.replace(v.other) && a.now.conflicting(v.of, v.rel) == nil {
		return true
	}
	otherKey := a.u.rules.key(v.other)
	if a.MayRemove != nil && a.MayRemove(v.other.Name) && a.banned["remove "+otherKey] == "" {
		a.now.drop(otherKey)
		a.leaving[otherKey] = true
		return true
	}
	reason := fmt.Sprintf("it does not go together with %s %s", v.other.Name, v.other.Version)
	if a.changed(v.of) {
		return a.ban(v.of, reason)
	}
	return a.ban(v.other, fmt.Sprintf("it does not go together with %s %s", v.of.Name, v.of.Version))
}

// replace takes the newest other version of a package, wanted or not, to keep the rest going.
func (a *attempt) replace(p *Package) bool {
	if a.Held[p.Name] || a.Pin[p.Name] != "" {
		return false
	}
	for _, other := range a.u.byKey[a.u.rules.key(p)] {
		if a.u.rules.Compare(other.Version, p.Version) > 0 && a.banned[other.id()] == "" {
			a.now.put(other)
			return true
		}
	}
	return false
}

// provider is the version to take so that rel is met: of a package that is installed, if one
// will do, and else a new one where that is allowed.
func (a *attempt) provider(of *Package, rel Relation) *Package {
	var fresh *Package
	for _, p := range a.u.byName[rel.Name] {
		if a.banned[p.id()] != "" || a.Held[p.Name] || !a.u.rules.meets(p, rel, of.Arch) {
			continue
		}
		have := a.now.at[a.u.rules.key(p)]
		switch {
		case have != nil:
			if pin := a.Pin[p.Name]; a.u.rules.Compare(p.Version, have.Version) > 0 && (pin == "" || pin == p.Version) {
				return p
			}
		case fresh == nil && a.MayAdd != nil && a.MayAdd(p.Name) && !a.leaving[a.u.rules.key(p)]:
			fresh = p
		}
	}
	return fresh
}

func (a *attempt) changed(p *Package) bool { return a.before.at[a.u.rules.key(p)] != p }

func (a *attempt) ban(p *Package, why string) bool {
	a.banned[p.id()] = why
	return false
}

func (a *attempt) result() Result {
	var r Result
	for _, key := range a.now.keys() {
		p, was := a.now.at[key], a.before.at[key]
		switch {
		case was == nil:
			r.New = append(r.New, p)
		case was != p:
			r.Changes = append(r.Changes, Change{From: was, To: p})
		}
	}
	for _, key := range a.before.keys() {
		was := a.before.at[key]
		if a.now.at[key] == nil {
			r.Removed = append(r.Removed, was)
			continue
		}
		if kept, is := a.kept(key, was); is {
			r.Kept = append(r.Kept, kept)
		}
	}
	return r
}

// kept tells what the policy asked for and the node does not get.
func (a *attempt) kept(key string, was *Package) (Kept, bool) {
	free := *a.Problem
	free.Held = nil
	to := (&attempt{Problem: &free, u: a.u}).wanted(was)
	got := a.now.at[key]
	if to == nil || a.u.rules.Compare(got.Version, to.Version) >= 0 && a.Pin[was.Name] == "" || got == to {
		return Kept{}, false
	}
	k := Kept{Name: was.Name, Arch: was.Arch, Installed: was.Version, Candidate: to.Version, Reason: a.banned[to.id()]}
	if a.Held[was.Name] {
		k.Reason = "it is held on the node"
	}
	return k, true
}

// node is a set of installed packages with an index of what they offer.
type node struct {
	rules  Rules
	at     map[string]*Package
	offers map[string]map[string]bool // name or capability: keys
	sorted []string
}

func newNode(rules Rules) *node {
	return &node{rules: rules, at: map[string]*Package{}, offers: map[string]map[string]bool{}}
}

func (n *node) clone() *node {
	c := newNode(n.rules)
	c.at, c.sorted = maps.Clone(n.at), nil
	for name, keys := range n.offers {
		c.offers[name] = maps.Clone(keys)
	}
	return c
}

func (n *node) put(p *Package) {
	key := n.rules.key(p)
	n.drop(key)
	n.at[key] = p
	n.offer(p.Name, key)
	for _, c := range p.Provides {
		n.offer(c.Name, key)
	}
}

func (n *node) offer(name, key string) {
	if n.offers[name] == nil {
		n.offers[name] = map[string]bool{}
	}
	n.offers[name][key] = true
}

func (n *node) drop(key string) {
	n.sorted = nil
	old := n.at[key]
	if old == nil {
		return
	}
	delete(n.at, key)
	delete(n.offers[old.Name], key)
	for _, c := range old.Provides {
		delete(n.offers[c.Name], key)
	}
}

func (n *node) keys() []string {
	if n.sorted == nil {
		n.sorted = slices.Sorted(maps.Keys(n.at))
	}
	return n.sorted
}

func (n *node) satisfied(clause Clause, arch string) bool {
	for _, rel := range clause {
		for key := range n.offers[rel.Name] {
			if n.rules.meets(n.at[key], rel, arch) {
				return true
			}
		}
	}
	return false
}

func (n *node) answers(p *Package, clause Clause, arch string) bool {
	return slices.ContainsFunc(clause, func(rel Relation) bool { return n.rules.meets(p, rel, arch) })
}

// apart is p for another architecture at a lower version, where both must be at the same one.
func (n *node) apart(p *Package) *Package {
	if !p.Same {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(n.offers[p.Name])) {
		if other := n.at[key]; other.Name == p.Name && other.Arch != p.Arch && other.Same && n.rules.Compare(p.Version, other.Version) > 0 {
			return other
		}
	}
	return nil
}

// conflicting is a package that p does not bear; its own name and what it provides itself
// do not count.
func (n *node) conflicting(p *Package, rel Relation) *Package {
	rel.AnyArch = true
	for _, key := range slices.Sorted(maps.Keys(n.offers[rel.Name])) {
		if other := n.at[key]; other.Name != p.Name && n.rules.meets(other, rel, p.Arch) {
			return other
		}
	}
	return nil
}
