package record

import (
	"math/bits"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// part says which bytes belong to a token; bytes of longer characters always do.
var part = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= utf8.RuneSelf
	}
	return t
}()

var lower = func() (t [256]byte) {
	for c := range t {
		t[c] = byte(c)
		if c >= 'A' && c <= 'Z' {
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// IsTokenByte tells whether a byte belongs to a token; where it changes, tokens begin and end.
func IsTokenByte(c byte) bool { return part[c] }

// EachToken calls fn with every token of the text as it stands there, not folded, with its position.
func EachToken(text string, fn func(start, end int)) {
	for i := 0; i < len(text); {
		if !part[text[i]] {
			i++
			continue
		}
		end := i + 1
		for end < len(text) && part[text[end]] {
			end++
		}
		fn(i, end)
		i = end
	}
}

// Tokens returns the folded tokens of a text in order, repeats included: what a query looks for.
func Tokens(text string) []string {
	var out []string
	EachToken(text, func(start, end int) { out = append(out, Fold(text[start:end])) })
	return out
}

// InnerTokens returns the folded tokens that any line containing the text must hold
// as whole tokens: those that neither begin nor end the text, whose neighbours are unknown.
func InnerTokens(text string) []string {
	var out []string
	EachToken(text, func(start, end int) {
		if start > 0 && end < len(text) {
			out = append(out, Fold(text[start:end]))
		}
	})
	return out
}

// Fold is the one way words are compared: each character's lower case.
func Fold(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return foldLong(s)
		}
		plain = plain && lower[s[i]] == s[i]
	}
	if plain {
		return s
	}
	b := make([]byte, len(s))
	for i := range len(s) {
		b[i] = lower[s[i]]
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func foldLong(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 { // not UTF-8: the byte stays what it is
			b = append(b, s[i])
		} else {
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
		i += n
	}
	return string(b)
}

// The constants reach the disk inside the token filters: changing them needs a new filter version.
const (
	hashSeed = 0x9E3779B97F4A7C15
	hashMul  = 0xD6E8FEB86659FD93
)

// HashToken is the hash of a folded token, as filters keep it.
func HashToken(token string) uint32 {
	h := uint64(hashSeed)
	i := 0
	for ; i+8 <= len(token); i += 8 {
		h = mix(h, uint64(token[i])|uint64(token[i+1])<<8|uint64(token[i+2])<<16|uint64(token[i+3])<<24|
			uint64(token[i+4])<<32|uint64(token[i+5])<<40|uint64(token[i+6])<<48|uint64(token[i+7])<<56)
	}
	var tail uint64
	for k := 0; i < len(token); i, k = i+1, k+8 {
		tail |= uint64(token[i]) << k
	}
	return finish(h, tail, len(token))
}

func mix(h, word uint64) uint64 {
	hi, lo := bits.Mul64(h^word, hashMul)
	return hi ^ lo
}

func finish(h, tail uint64, n int) uint32 {
	h = mix(h, tail)
	h = mix(h, uint64(n)+hashSeed)
	return uint32(h ^ h>>32)
}

// AppendHashes appends the hash of every token of the text, in order, repeats included.
func AppendHashes(dst []uint32, text string) []uint32 {
	for i := 0; i < len(text); {
		if !part[text[i]] {
			i++
			continue
		}
		start := i
		h, word := uint64(hashSeed), uint64(0)
		shift := uint(0)
		for ; i < len(text) && part[text[i]]; i++ {
			c := text[i]
			if c >= utf8.RuneSelf {
				break
			}
			word |= uint64(lower[c]) << shift
			if shift += 8; shift == 64 {
				h, word, shift = mix(h, word), 0, 0
			}
		}
		if i < len(text) && text[i] >= utf8.RuneSelf { // rare: fold the whole token the slow way
			for i < len(text) && part[text[i]] {
				i++
			}
			dst = append(dst, HashToken(foldLong(text[start:i])))
			continue
		}
		dst = append(dst, finish(h, word, i-start))
	}
	return dst
}
