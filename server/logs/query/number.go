package query

import (
	"strconv"
	"strings"
	"time"
)

// dimension keeps seconds from being compared with bytes.
type dimension uint8

const (
	none dimension = iota
	plain
	duration // in nanoseconds
	size     // in bytes
)

type number struct {
	v   float64
	dim dimension
}

// units behind a number; sizes as people write them: k is 1000, Ki is 1024.
var units = map[string]struct {
	factor float64
	dim    dimension
}{
	"ns": {1, duration}, "us": {1e3, duration}, "µs": {1e3, duration}, "ms": {1e6, duration}, "s": {1e9, duration},
	"m": {60e9, duration}, "h": {3600e9, duration}, "d": {86400e9, duration}, "w": {7 * 86400e9, duration},
	"b": {1, size}, "kb": {1e3, size}, "mb": {1e6, size}, "gb": {1e9, size}, "tb": {1e12, size},
	"kib": {1 << 10, size}, "mib": {1 << 20, size}, "gib": {1 << 30, size}, "tib": {1 << 40, size},
}

// parseNumber reads 12, -1.5e3, 250ms, 1h30m and 4KiB.
func parseNumber(s string) (number, bool) {
	if s == "" || len(s) > 40 {
		return number{}, false
	}
	if c := s[0]; c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') {
		return number{}, false
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		return number{v, plain}, true
	}
	end := strings.LastIndexAny(s, "0123456789.") + 1
	if u, ok := units[strings.ToLower(strings.TrimSpace(s[end:]))]; ok {
		if v, err := strconv.ParseFloat(s[:end], 64); err == nil {
			return number{v * u.factor, u.dim}, true
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return number{float64(d), duration}, true
	}
	return number{}, false
}

// relate says how a is to b, if they can be compared: a number without a unit
// fits whatever the other one is counted in.
func relate(a, b number) (int, bool) {
	if a.dim != b.dim && a.dim != plain && b.dim != plain {
		return 0, false
	}
	switch {
	case a.v < b.v:
		return -1, true
	case a.v > b.v:
		return 1, true
	}
	return 0, true
}

func (o Op) holds(relation int) bool {
	switch o {
	case More:
		return relation > 0
	case AtLeast:
		return relation >= 0
	case Less:
		return relation < 0
	case AtMost:
		return relation <= 0
	case NotEqual:
		return relation != 0
	}
	return relation == 0
}

func (o Op) ordered() bool { return o == More || o == AtLeast || o == Less || o == AtMost }

// ParseSize reads a number of bytes: 2048, 4KB, 1MiB.
func ParseSize(s string) (float64, bool) {
	n, ok := parseNumber(s)
	return n.v, ok && n.dim != duration
}
