package grouping

import (
	"path"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// maxContextLine: longer lines are minified or generated, not identity.
const maxContextLine = 120

// frameParts is what one frame contributes: its module (or file), its function
// and, for languages that send source, its line of code. strong says that a
// function or source is part of it.
func frameParts(f *sentry.Frame, platform string) (frameText, bool) {
	if f.Platform != "" {
		platform = f.Platform
	}
	place := cleanModule(f.Module, platform)
	if place == "" {
		place = cleanFile(f)
	}
	function := cleanFunction(f.Function, platform)
	source := ""
	if sendsSource(platform) {
		source = cleanSource(f.Context)
	}
	if place == "" && function == "" && source == "" {
		return frameText{}, false
	}
	if place == nativePlace {
		return frameText{}, false
	}
	name := f.Module
	if name == "" {
		name = f.Filename
	}
	if function != "" {
		name = strings.TrimSpace(name + " " + function)
	}
	return frameText{place + "\x01" + function + "\x01" + source, name}, function != "" || source != ""
}

// sendsSource names the languages whose clients send source lines and whose
// function names alone say little (anonymous functions, module level).
func sendsSource(platform string) bool {
	switch platform {
	case "python", "javascript", "node", "php", "ruby", "perl", "bun", "deno":
		return true
	}
	return false
}

func isScript(platform string) bool {
	switch platform {
	case "javascript", "node", "bun", "deno":
		return true
	}
	return false
}

func cleanSource(line string) string {
	line = strings.TrimSpace(line)
	if len(line) > maxContextLine || strings.Contains(line, "{snip}") || strings.HasSuffix(line, "…") {
		return ""
	}
	return line
}

// nativePlace marks frames that are the same in every program.
const nativePlace = "[native code]"

// cleanModule drops what generators put into names of modules and classes.
func cleanModule(m, platform string) string {
	switch {
	case m == "" || m == "<unknown module>" || m == "?":
		return ""
	case platform == "java" || platform == "csharp":
		if i := strings.Index(m, "$$"); i > 0 { // Spring's and CGLIB's subclasses
			m = m[:i]
		}
		return maskDigits(m, 1)
	}
	return maskDigits(m, 5)
}

// cleanFile is the last part of the file's name in lower case, without what a
// build adds to it: paths differ between machines, hashes between builds.
func cleanFile(f *sentry.Frame) string {
	name := f.Filename
	if name == "" {
		name = f.AbsPath
	}
	switch {
	case name == "" || name == "<unknown>" || name == "<anonymous>":
		return ""
	case name == "native" || name == nativePlace:
		return nativePlace
	case strings.HasPrefix(name, "data:") || strings.HasPrefix(name, "blob:"):
		return "inline"
	}
	if i := strings.IndexAny(name, "?#"); i > 0 {
		name = name[:i]
	}
	name = strings.ReplaceAll(name, "\\", "/")
	name = strings.ToLower(path.Base(name))
	if name == "." || name == "/" {
		return "/"
	}
	return maskHashes(name)
}

// maskHashes replaces the hash in "index-B3kx91Qa.js", "app.0f3c9a1b.js".
func maskHashes(name string) string {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	i := strings.LastIndexAny(stem, ".-_")
	if i > 0 && looksLikeHash(stem[i+1:]) {
		return stem[:i+1] + "#" + ext
	}
	if looksLikeHash(stem) && len(stem) >= 16 {
		return "#" + ext
	}
	return name
}

// looksLikeHash wants at least six characters, a digit, and nothing but
// letters, digits and the base64 signs.
func looksLikeHash(s string) bool {
	if len(s) < 6 {
		return false
	}
	digit, letters := false, true
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			digit = true
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-':
		default:
			letters = false
		}
	}
	return digit && letters
}

// maskDigits replaces runs of at least n digits.
func maskDigits(s string, n int) string {
	run, first := 0, -1
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			if run++; run >= n {
				first = i
				break
			}
		} else {
			run = 0
		}
	}
	if first < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		switch {
		case j-i >= n:
			b.WriteByte('#')
		case j > i:
			b.WriteString(s[i:j])
		default:
			b.WriteByte(s[i])
			j++
		}
		i = j
	}
	return b.String()
}
