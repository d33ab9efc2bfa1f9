package guard

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	image       = regexp.MustCompile(`!\[([^\]]*)\](\([^)]*\)?|\[[^\]]*\])?`)
	inline      = regexp.MustCompile(`\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)?`)
	definition  = regexp.MustCompile(`(?m)^[ \t]*\[[^\]]+\]:[ \t]*\S+.*$`)
	reference   = regexp.MustCompile(`\[([^\]]+)\]\[[^\]]*\]`)
	autolink    = regexp.MustCompile(`<([a-zA-Z][a-zA-Z0-9+.-]*:[^>\s]*)>`)
	bare        = regexp.MustCompile("(?i)`?\\b(?:[a-z][a-z0-9+.-]*://|www\\.)[^\\s<>`\"')\\]]+`?")
	tag         = regexp.MustCompile(`<([A-Za-z/!@#?])`)
	placeholder = regexp.MustCompile("\x00(\\d+)\x00")
)

// Links leaves only links that lead where they may. Images never stay, other addresses become code text, and nothing
// that a browser or a chat would read as a tag or as a ping is left.
func Links(text string, may func(address string) bool) string {
	text = strings.ReplaceAll(text, "\x00", "")
	var kept []string
	keep := func(link string) string {
		kept = append(kept, link)
		return "\x00" + strconv.Itoa(len(kept)-1) + "\x00"
	}
	text = image.ReplaceAllString(text, "$1")
	text = inline.ReplaceAllStringFunc(text, func(whole string) string {
		m := inline.FindStringSubmatch(whole)
		if may(m[2]) {
			return keep("[" + bare.ReplaceAllString(m[1], "") + "](" + m[2] + ")")
		}
		return m[1]
	})
	text = definition.ReplaceAllString(text, "")
	text = reference.ReplaceAllString(text, "$1")
	text = autolink.ReplaceAllString(text, "$1")
	text = bare.ReplaceAllStringFunc(text, func(address string) string {
		address = strings.Trim(address, "`")
		end := strings.TrimRight(address, ".,;:!?")
		if may(end) {
			return keep(end) + address[len(end):]
		}
		return keep("`"+strings.ReplaceAll(end, "`", "")+"`") + address[len(end):]
	})
	text = strings.ReplaceAll(text, "](", "] (") // whatever is left of a link that was written oddly
	text = tag.ReplaceAllString(text, "&lt;$1")
	for range 3 { // a link's title may hold another one's place
		text = placeholder.ReplaceAllStringFunc(text, func(p string) string {
			n, err := strconv.Atoi(strings.Trim(p, "\x00"))
			if err != nil || n >= len(kept) {
				return ""
			}
			return kept[n]
		})
	}
	return strings.ReplaceAll(text, "\x00", "")
}

// At tells whether an address is one of http or https at one of these hosts, without a user in it.
func At(address string, hosts []string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Host == "" || strings.ContainsAny(address, "\\\t\n ") {
		return false
	}
	return slices.ContainsFunc(hosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname()) && (u.Port() == "" || u.Port() == "443")
	})
}
