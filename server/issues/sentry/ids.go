package sentry

import "strings"

// normalID gives an event id its one form: 32 lower-case hex digits. Dashes
// and braces are dropped; what is no id becomes empty.
func normalID(s string) string {
	s = strings.ToLower(strings.Trim(strings.ReplaceAll(strings.TrimSpace(s), "-", ""), "{}"))
	if len(s) != 32 || !isHex(s) {
		return ""
	}
	return s
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// NormalDebugID gives a debug id its one form: a lower-case UUID with dashes,
// an age of other than 0 kept behind a dash. What is no UUID stays as it is.
func NormalDebugID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	bare := strings.ReplaceAll(s, "-", "")
	if len(bare) < 32 || len(bare) > 40 || !isHex(bare) {
		return s
	}
	id := bare[:8] + "-" + bare[8:12] + "-" + bare[12:16] + "-" + bare[16:20] + "-" + bare[20:32]
	if age := strings.TrimLeft(bare[32:], "0"); age != "" {
		id += "-" + age
	}
	return id
}
