package issues

import (
	"hash/fnv"
	"strings"
	"unicode"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// What the full text holds of one issue, so that a row stays small whatever was sent.
const (
	maxWords      = 160
	maxWordLength = 40
	searchFrames  = 30
)

// searchWords cuts what people search for out of an event: its title, its
// message, and the functions, modules and files of its stack; each word once,
// lower case, in the order seen. Both databases index exactly these words.
func searchWords(e *sentry.Event, title, culprit string) string {
	w := wordList{seen: make(map[string]struct{}, 64)}
	w.add(title)
	w.add(culprit)
	for i := len(e.Exceptions) - 1; i >= 0; i-- {
		w.add(e.Exceptions[i].Type)
		w.add(e.Exceptions[i].Value)
	}
	w.add(e.Message.Text())
	w.add(e.Transaction)
	for i := len(e.Exceptions) - 1; i >= 0; i-- {
		w.addStack(e.Exceptions[i].Stack)
	}
	for i := range e.Threads {
		if e.Threads[i].Current || e.Threads[i].Crashed {
			w.addStack(e.Threads[i].Stack)
		}
	}
	w.addStack(e.Stack)
	return strings.Join(w.words, " ")
}

type wordList struct {
	words []string
	seen  map[string]struct{}
}

func (w *wordList) addStack(s *sentry.Stack) {
	if s == nil {
		return
	}
	frames := s.Frames[max(0, len(s.Frames)-searchFrames):]
	for i := len(frames) - 1; i >= 0; i-- {
		f := frames[i]
		w.add(f.Function)
		w.add(f.Module)
		w.add(f.Filename)
	}
}

func (w *wordList) add(text string) {
	for _, word := range cutWords(text) {
		if len(w.words) >= maxWords {
			return
		}
		if _, known := w.seen[word]; !known {
			w.seen[word] = struct{}{}
			w.words = append(w.words, word)
		}
	}
}

// cutWords splits at everything that is neither letter nor digit; of camelCase
// it gives the whole and the parts. Single letters are left out.
func cutWords(text string) []string {
	var out []string
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		whole := clipWord(strings.ToLower(run))
		if len(whole) < 2 {
			continue
		}
		out = append(out, whole)
		for _, part := range camelParts(run) {
			if part = clipWord(strings.ToLower(part)); len(part) >= 2 && part != whole {
				out = append(out, part)
			}
		}
	}
	return out
}

func clipWord(word string) string {
	if len(word) <= maxWordLength {
		return word
	}
	return strings.ToValidUTF8(word[:maxWordLength], "")
}

// camelParts cuts CheckoutHTTPServer into Checkout, HTTP and Server; nil when there is one part.
func camelParts(word string) []string {
	var parts []string
	runes := []rune(word)
	start := 0
	for i := 1; i < len(runes); i++ {
		lowerUpper := unicode.IsLower(runes[i-1]) && unicode.IsUpper(runes[i])
		acronymEnd := i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsUpper(runes[i]) && unicode.IsLower(runes[i+1])
		if lowerUpper || acronymEnd {
			parts = append(parts, string(runes[start:i]))
			start = i
		}
	}
	if parts == nil {
		return nil
	}
	return append(parts, string(runes[start:]))
}

// queryWords are the words that an issue must all have, as beginnings of words.
func queryWords(text string) []string {
	var out []string
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if word := clipWord(strings.ToLower(run)); len(word) >= 2 {
			out = append(out, word)
		}
	}
	return out
}

// hash64 is a stable positive hash for columns where 64 bits are enough; never 0.
func hash64(parts ...string) int64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p)) // never fails
		h.Write([]byte{0})
	}
	sum := mix(h.Sum64())
	return int64(max(sum>>1, 1))
}

// mix spreads FNV's bits, so that the hashes of similar texts are far apart.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
