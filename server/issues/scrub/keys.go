package scrub

import (
	"strings"
	"unicode"
)

// strong words are sensitive wherever they stand in a key.
var strong = []string{"password", "passwd", "passphrase", "secret", "apikey", "accesstoken", "refreshtoken", "authtoken", "idtoken",
	"credential", "mysqlpwd", "stripetoken", "privatekey", "cardnumber", "creditcard", "sessionid", "sessid", "csrf", "xsrf",
	"authorization", "setcookie"}

// weak words are sensitive as the last word of a key: "auth" in "author" or
// "session" in "session_count" are not meant.
var weak = map[string]bool{"auth": true, "token": true, "session": true, "cookie": true, "cookies": true, "jwt": true, "bearer": true,
	"pwd": true, "cvv": true, "cvc": true, "ssn": true, "credentials": true, "sid": true}

// lastWord splits a key into words at signs and at changes of case, and gives
// all of them without separators and the last one.
func words(key string) (joined, last string) {
	var b strings.Builder
	start := 0
	lower := false
	for _, c := range key {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			if b.Len() > start { // signs in a row, or at the end
				start = b.Len()
			}
			lower = false
			continue
		case unicode.IsUpper(c) && lower:
			start = b.Len()
		}
		lower = unicode.IsLower(c) || unicode.IsDigit(c)
		b.WriteRune(unicode.ToLower(c))
	}
	joined = b.String()
	if start == len(joined) { // the key ends with a sign: "card[number]"
		start = 0
	}
	return joined, joined[start:]
}

// sensitive names the reason why a key is sensitive, empty when it is not, and
// what is to be done.
func (r *run) sensitive(key string) (why string, action Action) {
	for i := range r.keys {
		if r.keys[i].matches(key, r.path) {
			return "key " + r.keys[i].text, r.keys[i].action
		}
	}
	if !r.rules.NoDefaults && len(key) <= 200 {
		joined, last := words(key)
		if weak[last] || weak[joined] {
			return "key " + last, Mask
		}
		for _, w := range strong {
			if strings.Contains(joined, w) {
				return "key " + w, Mask
			}
		}
	}
	return "", ""
}

func (r *run) isSafe(key string) bool {
	for i := range r.safe {
		if r.safe[i].matches(key, r.path) {
			return true
		}
	}
	return false
}

// isAddressKey knows where clients put a user's address.
func isAddressKey(key string) bool {
	joined, _ := words(key)
	switch joined {
	case "ipaddress", "ip", "clientip", "userip", "useripaddress", "remoteaddr", "remoteip", "clientaddress", "xforwardedfor", "xrealip", "forwarded", "cfconnectingip",
		"trueclientip", "xclientip", "fastlyclientip", "httpxforwardedfor", "httpclientip", "httpxrealip":
		return true
	}
	return false
}

// keyRule is a key as a person wrote it.
type keyRule struct {
	text string
	// path is the rule cut at its dots; nil when it is about the name alone.
	path   []string
	glob   bool
	action Action
}

func appendKey(rules []keyRule, text string, action Action) []keyRule {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" || strings.Trim(text, "*.") == "" {
		return rules // would match everything
	}
	k := keyRule{text: text, glob: strings.Contains(text, "*"), action: action}
	if strings.Contains(text, ".") {
		k.path = strings.Split(text, ".")
	}
	return append(rules, k)
}

func (k *keyRule) matches(key string, path []segment) bool {
	switch {
	case k.path != nil:
		// A dotted name may also be the name itself ("user.email" as an attribute).
		return k.matchesPath(path) || strings.EqualFold(key, k.text)
	case k.glob:
		return star(k.text, strings.ToLower(key))
	}
	return strings.Contains(strings.ToLower(key), k.text)
}

// matchesPath compares names, passing over the numbers of list entries.
func (k *keyRule) matchesPath(path []segment) bool {
	i := 0
	for _, s := range path {
		if s.index >= 0 {
			continue
		}
		if i >= len(k.path) || !star(k.path[i], strings.ToLower(s.name)) {
			return false
		}
		i++
	}
	return i == len(k.path)
}

// star matches a whole text; * is any text.
func star(pattern, s string) bool {
	head, rest, ok := strings.Cut(pattern, "*")
	if !ok {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], next
	}
}
