package grouping

import "strings"

// cleanFunction takes from a function's name what compilers, browsers and
// generics put around it; empty when the function has no name.
func cleanFunction(f, platform string) string {
	f = strings.TrimSpace(f)
	switch f {
	case "", "?", "<unknown>", "<anonymous>", "anonymous", "Anonymous function", "<redacted>", "(anonymous)", "{closure}", "Object.<anonymous>":
		return ""
	}
	switch platform {
	case "javascript", "node", "bun", "deno":
		return cleanScript(f)
	case "go":
		return cleanGo(f)
	case "ruby":
		return cleanRuby(f)
	case "java", "csharp":
		return cleanManaged(f)
	case "native", "cocoa", "c", "rust", "objc":
		return cleanNative(f)
	}
	return maskDigits(f, 5)
}

// cleanScript keeps the last name: browsers disagree on what stands before it
// ("Cart.total", "total", "async Cart.total [as sum]").
func cleanScript(f string) string {
	f = strings.TrimPrefix(f, "async ")
	f = strings.TrimPrefix(f, "new ")
	if i := strings.Index(f, " [as "); i > 0 {
		f = f[:i]
	}
	for _, suffix := range [...]string{"/<", "</<", "/this"} { // Firefox
		f = strings.TrimSuffix(f, suffix)
	}
	if i := strings.LastIndexAny(f, "./"); i >= 0 && i+1 < len(f) {
		f = f[i+1:]
	}
	if f == "<anonymous>" || f == "?" || f == "<" {
		return ""
	}
	return maskDigits(f, 5)
}

// cleanGo drops type arguments and the numbers of closures: adding a closure
// above would otherwise rename all those below.
func cleanGo(f string) string {
	f = dropBetween(f, '[', ']')
	for {
		i := strings.LastIndexByte(f, '.')
		if i < 0 {
			return f
		}
		last := f[i+1:]
		switch {
		case digitsOnly(last), strings.HasPrefix(last, "func") && digitsOnly(last[4:]),
			strings.HasPrefix(last, "gowrap") && digitsOnly(last[6:]):
			f = f[:i]
		default:
			return f
		}
	}
}

// cleanRuby names a block after its method.
func cleanRuby(f string) string {
	if i := strings.LastIndex(f, " in "); i >= 0 {
		f = f[i+4:]
	}
	return maskDigits(f, 3) // methods of compiled templates carry numbers
}

// cleanManaged handles Java's lambda$total$3 and C#'s <Total>b__12_0.
func cleanManaged(f string) string {
	if i := strings.IndexByte(f, '('); i > 0 {
		f = f[:i]
	}
	return maskDigits(dropBetween(f, '[', ']'), 1)
}

// cleanNative drops parameters, template arguments, return types, and Rust's
// hash.
func cleanNative(f string) string {
	if i := strings.LastIndex(f, "::h"); i > 0 && len(f)-i == 19 {
		f = f[:i]
	}
	if strings.HasPrefix(f, "-[") || strings.HasPrefix(f, "+[") {
		return f
	}
	f = strings.ReplaceAll(f, "(anonymous namespace)", "{anonymous}")
	if i := strings.IndexByte(f, '('); i > 0 && !strings.HasPrefix(f, "operator(") {
		f = f[:i]
	}
	f = dropBetween(f, '<', '>')
	if i := strings.LastIndexByte(strings.TrimSpace(f), ' '); i > 0 && !strings.Contains(f, "operator ") {
		f = f[i+1:]
	}
	return maskDigits(strings.TrimSpace(f), 5)
}

// dropBetween removes balanced brackets with what they hold; a name that is
// nothing else, or whose brackets do not balance, stays.
func dropBetween(s string, open, close byte) string {
	if strings.IndexByte(s, open) < 0 {
		return s
	}
	var b strings.Builder
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == open:
			depth++
		case c == close && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	if depth != 0 || b.Len() == 0 {
		return s
	}
	return b.String()
}

func digitsOnly(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
