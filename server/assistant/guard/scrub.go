package guard

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Scrubber takes secrets out of text.
type Scrubber struct {
	known *strings.Replacer
	// values are those that known replaces, longest first, to count them.
	values []string
}

// shortestKnown is how long a known value must be: shorter ones are words that mean other things too.
const shortestKnown = 6

// NewScrubber makes one that also knows these values, in the forms in which they are usually carried.
func NewScrubber(known []string) *Scrubber {
	s := &Scrubber{}
	var pairs []string
	seen := map[string]bool{}
	var all [][2]string
	for _, value := range known {
		for _, line := range append(strings.Split(value, "\n"), value) { // a key's lines are secret one by one
			line = strings.TrimSpace(line)
			if len(line) < shortestKnown || strings.HasPrefix(line, "-----") {
				continue
			}
			mark := marked("known", line)
			for _, form := range []string{line, base64.StdEncoding.EncodeToString([]byte(line)), base64.RawURLEncoding.EncodeToString([]byte(line)), base64.RawStdEncoding.EncodeToString([]byte(line)), hex.EncodeToString([]byte(line)), url.QueryEscape(line), reversed(line)} {
				if !seen[form] {
					seen[form] = true
					all = append(all, [2]string{form, mark})
				}
			}
		}
	}
	// The replacer takes the first that fits: a value that holds another must come before it.
	slices.SortStableFunc(all, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	for _, pair := range all {
		pairs = append(pairs, pair[0], pair[1])
		s.values = append(s.values, pair[0])
	}
	if len(pairs) > 0 {
		s.known = strings.NewReplacer(pairs...)
	}
	return s
}

func reversed(text string) string {
	r := []rune(text)
	slices.Reverse(r)
	return string(r)
}

// marked is what stands for a secret. The last four characters help to find it, where they give little away.
func marked(kind, secret string) string {
	last := "****"
	if len(secret) >= 12 {
		last = secret[len(secret)-4:]
	}
	if strings.ContainsFunc(last, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsPrint(c) || c == ']' }) {
		last = "****"
	}
	return "[secret:" + kind + ":" + last + "]"
}

// form is what a kind of secret looks like; group is the part that is secret.
type form struct {
	kind  string
	form  *regexp.Regexp
	group int
}

var forms = []form{
	{"pem", regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|$)`), 0},
	{"github", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{16,255}|github_pat_[A-Za-z0-9_]{20,255})`), 0},
	{"signalbox", regexp.MustCompile(`\bsb[a-z]?_[A-Za-z0-9]{20,}`), 0},
	{"slack", regexp.MustCompile(`\b(xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}|https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{8,})`), 0},
	{"aws", regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), 0},
	{"jwt", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`), 0},
	{"key", regexp.MustCompile(`\b(?:sk|pk|rk)[-_](?:ant|proj|live|test|svcacct)?[-_A-Za-z0-9]{20,}`), 0},
	{"google", regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`), 0},
	{"gitlab", regexp.MustCompile(`\bgl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{16,}`), 0},
	{"npm", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{30,}`), 0},
	{"url", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@"'<>]*:([^/\s@"'<>]{3,})@`), 1},
	{"bearer", regexp.MustCompile(`(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{16,})`), 1},
	{"password", regexp.MustCompile(`(?i)(?:pass(?:word|wd|phrase)?|pwd|secret)[\w-]*\\?["']?\s*(?:[:=]|=>)\s*\\?["']?([^\s"'\\,;&}\])]{4,})`), 1},
}

// nearKey finds values behind words that name a secret but also other things: only what looks random is taken.
var nearKey = regexp.MustCompile(`(?i)(?:token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credentials?|client[_-]?secret|auth(?:orization)?|cookie|session)[\w-]*\\?["']?\s*(?:[:=]|=>|\bis\b)\s*\\?["']?([A-Za-z0-9+/=_.~-]{12,})`)

var (
	secretName = regexp.MustCompile(`(?i)^(.*[_-])?(pass(word|wd|phrase)?|pwd|secret|client_secret)$`)
	nameOfKey  = regexp.MustCompile(`(?i)(token|api_?key|access_?key|private_?key|signing_?key|credential|authorization|cookie)$`)
)

// harmless are values that stand for no secret.
var harmless = regexp.MustCompile(`(?i)^(true|false|null|none|nil|required|missing|invalid|must|should|empty|wrong|unset|undefined|\*+|x{4,}|redacted|\[?redacted\]?|\[filtered\]|\(\(.*|\$\{.*|\$\(.*|\{\{.*|<.*|\[secret:.*|secret:.*)$`)

// mark is what a secret was replaced by, here or earlier.
var mark = regexp.MustCompile(`\[secret:[a-z]+:[^\]]{4}\]`)

// held stands for a mark while other forms are looked for, so that none is found within it.
var held = regexp.MustCompile("\x01(\\d+)\x02")

// Scrub gives the text without secrets, and how many there were. key is the name that it stands under, "" for none.
func (s *Scrubber) Scrub(key, text string) (string, int) {
	n, whole := 0, text
	if s.known != nil {
		if replaced := s.known.Replace(text); replaced != text {
			for _, v := range s.values {
				n += strings.Count(text, v)
			}
			n, text = max(n, 1), replaced
		}
	}
	var marks []string
	hold := func(m string) string {
		marks = append(marks, m)
		return "\x01" + strconv.Itoa(len(marks)-1) + "\x02"
	}
	text = mark.ReplaceAllStringFunc(strings.Map(func(c rune) rune {
		if c == 1 || c == 2 {
			return -1
		}
		return c
	}, text), hold)
	for _, f := range forms {
		text = replaceGroup(f.form, text, f.group, func(secret string) string {
			if f.group > 0 && (harmless.MatchString(secret) || strings.Contains(secret, "\x01")) {
				return secret
			}
			n++
			return hold(marked(f.kind, secret))
		})
	}
	text = replaceGroup(nearKey, text, 1, func(secret string) string {
		if !looksRandom(secret) {
			return secret
		}
		n++
		return hold(marked("key", secret))
	})
	for range 2 { // one may have been found around another
		text = held.ReplaceAllStringFunc(text, func(h string) string {
			at, err := strconv.Atoi(strings.Trim(h, "\x01\x02"))
			if err != nil || at >= len(marks) {
				return ""
			}
			return marks[at]
		})
	}
	switch {
	case n > 0 || mark.MatchString(whole): // it is known what it is
	case secretName.MatchString(key) && len(whole) >= 4 && !harmless.MatchString(whole):
		return marked("password", whole), 1
	case nameOfKey.MatchString(key) && looksRandom(whole):
		return marked("key", whole), 1
	}
	return text, n
}

func replaceGroup(form *regexp.Regexp, text string, group int, with func(string) string) string {
	found := form.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	var b strings.Builder
	at := 0
	for _, m := range found {
		from, to := m[2*group], m[2*group+1]
		b.WriteString(text[at:from])
		b.WriteString(with(text[from:to]))
		at = to
	}
	b.WriteString(text[at:])
	return b.String()
}

// looksRandom tells what a machine has drawn from what a person has named: many different characters of several kinds.
func looksRandom(text string) bool {
	if len(text) < 12 || strings.HasPrefix(text, "[secret:") {
		return false
	}
	counts := map[rune]int{}
	upper, lower, digit := 0, 0, 0
	for _, c := range text {
		counts[c]++
		switch {
		case unicode.IsUpper(c):
			upper++
		case unicode.IsLower(c):
			lower++
		case unicode.IsDigit(c):
			digit++
		case strings.ContainsRune(" \t\n/:", c):
			return false // a sentence, a path or a time
		}
	}
	bits := 0.0
	for _, n := range counts {
		p := float64(n) / float64(len(text))
		bits -= p * math.Log2(p)
	}
	kinds := min(upper, 1) + min(lower, 1) + min(digit, 1)
	return bits >= 3 && (kinds == 3 || kinds == 2 && digit >= 3 && len(text) >= 16)
}
