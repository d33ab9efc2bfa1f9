package scrub

import (
	"regexp"
	"strings"
)

var (
	cardNumber = regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`)
	pemBlock   = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----.*?(?:-----END [A-Z ]*-----|$)`)
	urlSecret  = regexp.MustCompile(`(://[^/\s:@]*):([^/\s@]+)@`)
	bearer     = regexp.MustCompile(`(?i)\b(bearer|basic) +[A-Za-z0-9._~+/=-]{8,}`)
	// assigned finds password=x, "api_key": "x", 'secret' => 'x'.
	assigned = regexp.MustCompile(`(?i)((?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?token|refresh[_-]?token|auth[_-]?token|private[_-]?key|credentials?)["']?\s*(?:=>|[:=])\s*)("[^"]*"|'[^']*'|[^\s&,;"'\[\](){}]+)`)
)

// wordsOfAssigned must occur, in lower case, for assigned to match.
var wordsOfAssigned = []string{"passw", "passp", "secret", "key", "token", "credential"}

// builtIn applies the built-in patterns; each is tried only when something
// cheap says that it could match.
func (r *run) builtIn(v string) string {
	digits := 0
	signs, at := false, false
	for i := range len(v) {
		switch c := v[i]; {
		case '0' <= c && c <= '9':
			digits++
		case c == '=' || c == ':':
			signs = true
		case c == '@':
			at = true
		}
	}
	if digits >= 13 {
		v = r.replace(v, cardNumber, "card number", func(m string) string {
			if !luhn(m) {
				return m
			}
			return Filtered
		})
	}
	if strings.Contains(v, "-----BEGIN ") {
		v = r.replace(v, pemBlock, "private key or certificate", func(string) string { return Filtered })
	}
	if at && signs && strings.Contains(v, "://") {
		v = r.replace(v, urlSecret, "password in a URL", func(m string) string {
			i := strings.LastIndexByte(m[3:], ':') + 3
			return m[:i] + ":" + Filtered + "@"
		})
	}
	if strings.Contains(v, "earer ") || strings.Contains(v, "asic ") || strings.Contains(v, "EARER ") {
		v = r.replace(v, bearer, "bearer token", func(m string) string {
			kind, _, _ := strings.Cut(m, " ")
			return kind + " " + Filtered
		})
	}
	if signs && mayBeAssigned(v) {
		v = r.replaceAssigned(v)
	}
	return v
}

func mayBeAssigned(v string) bool {
	low := strings.ToLower(v)
	for _, w := range wordsOfAssigned {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

func (r *run) replace(v string, re *regexp.Regexp, reason string, by func(string) string) string {
	out := re.ReplaceAllStringFunc(v, by)
	if out != v {
		r.note(reason)
	}
	return out
}

func (r *run) replaceAssigned(v string) string {
	var b strings.Builder
	last := 0
	for _, m := range assigned.FindAllStringSubmatchIndex(v, -1) {
		value := v[m[4]:m[5]]
		inner := strings.Trim(value, `"'`)
		if inner == "" || inner == Filtered || inner == "Filtered" {
			continue
		}
		b.WriteString(v[last:m[4]])
		if quote := value[0]; quote == '"' || quote == '\'' {
			b.WriteByte(quote)
			b.WriteString(Filtered)
			b.WriteByte(quote)
		} else {
			b.WriteString(Filtered)
		}
		last = m[5]
	}
	if last == 0 {
		return v
	}
	r.note("a value assigned in text")
	b.WriteString(v[last:])
	return b.String()
}

// luhn is the check digit of card numbers; it keeps order numbers and
// timestamps alive.
func luhn(s string) bool {
	sum, n := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return n >= 13 && n <= 19 && sum%10 == 0 && sum > 0
}
