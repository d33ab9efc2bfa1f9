package grouping

import (
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// link is one exception of a chain (or a stack without an exception).
type link struct {
	kind  string // the exception's type; empty when it says nothing
	value string
	stack *sentry.Stack
}

// exceptions groups a chain by its types and frames; nil when no exception has
// a frame that says anything.
func (g *grouper) exceptions() []Hash {
	var links []link
	framed := false
	for i := range g.e.Exceptions {
		x := &g.e.Exceptions[i]
		l := link{kind: x.Type, value: x.Value, stack: x.Stack}
		if x.Mechanism != nil && x.Mechanism.Synthetic {
			l.kind = "" // the type is a guess of the client ("SIGSEGV", "Error")
		}
		framed = framed || x.Stack != nil
		links = append(links, l)
	}
	if !framed {
		return nil
	}
	return g.stacks(links)
}

// stacks gives the app and the system hash of a chain. Without frames of the
// user's code there is only the system hash; when all frames are the user's,
// both are equal and one is enough.
func (g *grouper) stacks(links []link) []Hash {
	group := isGroup(g.e)
	var hashes []Hash
	for _, kind := range [...]Kind{KindApp, KindSystem} {
		g.start("stack")
		if !g.chain(links, kind == KindApp, group, kind) {
			continue
		}
		h := g.sum(kind)
		if len(hashes) == 1 && hashes[0].Value == h.Value {
			g.why = g.why[:max(len(g.why)-1, 0)] // says the same in other words
			continue
		}
		hashes = append(hashes, h)
	}
	return hashes
}

// chain writes the chain's contribution; false when no frame contributes.
func (g *grouper) chain(links []link, appOnly, group bool, kind Kind) bool {
	var names, types []string
	var seen map[string]bool
	if group {
		seen = map[string]bool{}
	}
	found, weak := false, true
	for i := range links {
		l := &links[i]
		from := len(g.buf)
		if l.kind != "" {
			g.add(l.kind)
		}
		f := frames{appOnly: appOnly, platform: g.e.Platform}
		f.collect(l.stack)
		for j := range f.kept {
			g.buf = append(g.buf, f.kept[j].text...)
			g.buf = append(g.buf, 0)
		}
		if group { // ten equal members of an exception group are one
			part := string(g.buf[from:])
			if seen[part] {
				g.buf = g.buf[:from]
				continue
			}
			seen[part] = true
		}
		found = found || len(f.kept) > 0
		weak = weak && f.weak
		if !g.terse {
			if l.kind != "" {
				types = append(types, l.kind)
			}
			for j := range f.kept {
				names = append(names, f.kept[j].name)
			}
		}
	}
	if !found {
		return false
	}
	value := ""
	if weak { // every frame is "?" in app.js: the text has to tell them apart
		value = Parameterise(firstLine(links[len(links)-1].value))
		g.add(value)
	}
	g.explainStack(kind, names, types, value)
	return true
}

func (g *grouper) explainStack(kind Kind, names, types []string, value string) {
	if g.terse {
		return
	}
	shown := make([]string, 0, 6)
	for i := len(names) - 1; i >= 0 && len(shown) < 5; i-- { // the crash first
		shown = append(shown, names[i])
	}
	if len(names) > len(shown) {
		shown = append(shown, "…")
	}
	text := "All frames: "
	if kind == KindApp {
		text = "Frames of your code: "
	}
	text += strings.Join(shown, ", ")
	if len(types) > 0 {
		text += "; type " + strings.Join(types, ", which caused ")
	}
	if value != "" {
		text += "; message " + value + " (because the frames have neither names nor source)"
	}
	g.explain(kind, text+".", names)
}

func isGroup(e *sentry.Event) bool {
	for i := range e.Exceptions {
		if m := e.Exceptions[i].Mechanism; m != nil && m.IsGroup {
			return true
		}
	}
	return false
}

// frames collects what contributes of one stack.
type frames struct {
	appOnly  bool
	platform string
	kept     []frameText
	// weak says that no frame has a function's name or source.
	weak bool
}

// frameText is a frame's contribution, and its name for people.
type frameText struct{ text, name string }

// longestCycle is the longest repeated block that counts as recursion.
const longestCycle = 4

func (f *frames) collect(s *sentry.Stack) {
	f.weak = true
	if s == nil {
		return
	}
	f.kept = make([]frameText, 0, len(s.Frames))
	for i := range s.Frames {
		fr := &s.Frames[i]
		if f.appOnly && !fr.InApp {
			continue
		}
		text, strong := frameParts(fr, f.platform)
		if text.text == "" {
			continue
		}
		f.weak = f.weak && !strong
		f.kept = append(f.kept, text)
		f.dropCycle()
	}
}

// dropCycle removes the block that was just repeated, so that the depth of a
// recursion does not matter.
func (f *frames) dropCycle() {
	n := len(f.kept)
next:
	for size := 1; size <= longestCycle && 2*size <= n; size++ {
		for i := n - size; i < n; i++ {
			if f.kept[i].text != f.kept[i-size].text {
				continue next
			}
		}
		f.kept = f.kept[:n-size]
		return
	}
}
