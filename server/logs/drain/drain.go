// Package drain groups log messages that are alike into patterns, online and
// in bounded memory: the words that differ become <*>.
//
// The algorithm is Drain (He, Zhu, Zheng, Lyu: "Drain: An Online Log Parsing
// Approach with Fixed Depth Tree", ICWS 2017): messages are led by their number
// of words and their first words to a short list of patterns, and join the most
// similar one or begin a new one. Words with digits in them count as variable
// from the start.
package drain

import (
	"hash/maphash"
	"strings"
)

const (
	variable   = "<*>"
	maxWords   = 60
	prefix     = 2   // first words that lead through the tree
	similarity = 0.5 // share of equal words from which a message joins
	maxPerLeaf = 50
)

// Pattern is a group of messages.
type Pattern struct {
	// Text has <*> where the messages differ.
	Text  string
	Count int64
	// Sample is the first message of the group.
	Sample string
	words  []string
}

// Tree finds the patterns of messages; it is used by one goroutine.
type Tree struct {
	seed   maphash.Seed
	leaves map[uint64][]*Pattern
	all    []*Pattern
	most   int
	full   bool
}

// New makes a tree that tells at most that many patterns apart.
func New(most int) *Tree {
	return &Tree{seed: maphash.MakeSeed(), leaves: map[uint64][]*Pattern{}, most: most}
}

// Full says whether there were more patterns than the tree may hold; messages
// that fit none were then left out.
func (t *Tree) Full() bool { return t.full }

// Patterns are the groups in the order in which they were found.
func (t *Tree) Patterns() []*Pattern {
	for _, p := range t.all {
		p.Text = strings.Join(p.words, " ")
	}
	return t.all
}

// Add puts a message to the pattern it belongs to and returns it; nil if the
// tree is full.
func (t *Tree) Add(message string) *Pattern {
	words := split(message)
	leaf := t.leaf(words)
	var best *Pattern
	most := -1.0
	for _, p := range t.leaves[leaf] {
		if s := alike(p.words, words); s > most {
			best, most = p, s
		}
	}
	if best == nil || most < similarity && len(t.leaves[leaf]) < maxPerLeaf {
		if len(t.all) >= t.most {
			t.full = true
			return nil
		}
		best = &Pattern{Sample: strings.Clone(message), words: words}
		t.leaves[leaf] = append(t.leaves[leaf], best)
		t.all = append(t.all, best)
	} else {
		for i, word := range words {
			if best.words[i] != word {
				best.words[i] = variable
			}
		}
	}
	best.Count++
	return best
}

func (t *Tree) leaf(words []string) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteByte(byte(len(words)))
	left := prefix
	for _, word := range words {
		if word == variable {
			continue // a line that begins with its time is led by what follows
		}
		h.WriteString(word)
		h.WriteByte(0)
		if left--; left == 0 {
			break
		}
	}
	return h.Sum64()
}

// alike is the share of words that are the same; what is variable in the
// message says nothing.
func alike(pattern, words []string) float64 {
	same, counted := 0, 0
	for i, word := range words {
		if word == variable {
			continue
		}
		counted++
		if pattern[i] == word {
			same++
		}
	}
	if counted == 0 {
		return 1
	}
	return float64(same) / float64(counted)
}

// split cuts a message into words; the rest of a long one is one variable.
func split(message string) []string {
	if len(message) > 4096 {
		message = message[:4096]
	}
	fields := strings.Fields(strings.ToValidUTF8(message, "�"))
	cut := len(fields) > maxWords
	if cut {
		fields = fields[:maxWords]
	}
	words := make([]string, 0, len(fields)+1)
	for _, word := range fields {
		words = append(words, mask(word))
	}
	if cut {
		words = append(words, variable)
	}
	return words
}

// mask makes words with digits variable, but keeps a name in front of them:
// status=200 becomes status=<*>.
func mask(word string) string {
	if !strings.ContainsAny(word, "0123456789") {
		if len(word) > 100 {
			return variable
		}
		return strings.Clone(word)
	}
	if name, _, ok := strings.Cut(word, "="); ok && name != "" && !strings.ContainsAny(name, "0123456789") {
		return name + "=" + variable
	}
	if end := strings.TrimRight(word, ",;:.)]}\"'"); end != word && len(word)-len(end) <= 2 {
		return variable + word[len(end):]
	}
	return variable
}
