package record

import (
	"slices"
	"strings"
)

// Level is how bad a line says it is. The values reach the disk and are ordered.
type Level uint8

// The levels, from the mildest on.
const (
	Unknown Level = 0
	Trace   Level = 1
	Debug   Level = 2
	Info    Level = 3
	Warn    Level = 4
	Error   Level = 5
	Fatal   Level = 6
)

// Levels is how many there are, for tables indexed by level.
const Levels = 7

var levelNames = [Levels]string{"unknown", "trace", "debug", "info", "warn", "error", "fatal"}

// String is the level's one name: trace, debug, info, warn, error, fatal, unknown.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// levelWords are the words programs use for levels, in lower case.
var levelWords = map[string]Level{
	"unknown": Unknown, "none": Unknown,
	"trace": Trace, "trc": Trace, "finest": Trace, "finer": Trace, "verbose": Trace, "silly": Trace, "t": Trace,
	"debug": Debug, "dbg": Debug, "fine": Debug, "d": Debug, "config": Debug,
	"info": Info, "inf": Info, "information": Info, "informational": Info, "notice": Info, "i": Info, "log": Info, "http": Info, "normal": Info, "default": Info,
	"warn": Warn, "warning": Warn, "wrn": Warn, "w": Warn,
	"error": Error, "err": Error, "eror": Error, "e": Error, "severe": Error, "failure": Error, "fail": Error,
	"fatal": Fatal, "critical": Fatal, "crit": Fatal, "emerg": Fatal, "emergency": Fatal, "alert": Fatal, "panic": Fatal, "dpanic": Fatal, "ftl": Fatal, "f": Fatal, "c": Fatal,
}

// ParseLevel understands the words and numbers that programs use: names in any case,
// pino's and bunyan's tens (30 is info), OpenTelemetry names with a digit (WARN2).
// Numbers below ten are syslog's severities, because that is where bare digits come from.
func ParseLevel(s string) (Level, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 16 {
		return Unknown, false
	}
	if s[0] >= '0' && s[0] <= '9' {
		return numberLevel(s)
	}
	var low [16]byte
	for i := range len(s) {
		low[i] = lower[s[i]]
	}
	if level, ok := levelWords[string(low[:len(s)])]; ok {
		return level, true
	}
	if n := len(s) - 1; n > 1 && s[n] >= '1' && s[n] <= '4' {
		level, ok := levelWords[string(low[:n])]
		return level, ok
	}
	return Unknown, false
}

func numberLevel(s string) (Level, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1000 {
			return Unknown, false
		}
		n = n*10 + int(c-'0')
	}
	switch {
	case n <= 7 && len(s) == 1:
		return SyslogLevel(n), true
	case n >= 10 && n <= 60 && n%10 == 0:
		return Level(n / 10), true
	}
	return Unknown, false
}

// SyslogLevel is the level of a syslog severity: 0 emergency … 7 debug.
func SyslogLevel(severity int) Level {
	switch {
	case severity <= 2:
		return Fatal
	case severity == 3:
		return Error
	case severity == 4:
		return Warn
	case severity <= 6:
		return Info
	}
	return Debug
}

// OTelLevel is the level of an OpenTelemetry severity number: 1-4 trace, 5-8 debug … 21-24 fatal.
func OTelLevel(number int) Level {
	if number < 1 || number > 24 {
		return Unknown
	}
	return Level((number + 3) / 4)
}

var bareLevels = []string{"TRACE", "DEBUG", "DBG", "INFO", "INF", "NOTICE", "WARN", "WARNING", "WRN", "ERROR", "ERR", "SEVERE", "FATAL", "CRITICAL", "CRIT", "PANIC", "ALERT", "EMERG", "EMERGENCY"}

// DetectLevel finds the level that an unstructured line names in its first bytes:
// `level=error`, `[WARN]`, `ERROR something`. A word in lower case counts only behind
// `level=` or in brackets, since "no error" is not an error.
func DetectLevel(line string) Level {
	if len(line) > 160 {
		line = line[:160]
	}
	for i := 0; i < len(line); {
		if !letter(line[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(line) && letter(line[end]) {
			end++
		}
		word := line[i:end]
		if level, ok := levelHere(line, word, i, end); ok {
			return level
		}
		i = end
	}
	return Unknown
}

func levelHere(line, word string, start, end int) (Level, bool) {
	if len(word) < 3 || len(word) > 13 {
		return Unknown, false
	}
	before, after := byte(' '), byte(' ')
	if start > 0 {
		before = line[start-1]
	}
	if end < len(line) {
		after = line[end]
	}
	named := before == '=' || before == ':' || before == '"'
	if named && start >= 6 {
		head := strings.ToLower(strings.TrimRight(line[max(0, start-12):start], `=:" `))
		named = strings.HasSuffix(head, "level") || strings.HasSuffix(head, "severity") || strings.HasSuffix(head, "lvl")
	} else if named {
		named = strings.HasPrefix(strings.ToLower(line), "lvl")
	}
	// A bare word must be one that is nothing but a level: HTTP, LOG and CONFIG are more.
	if !named && !slices.Contains(bareLevels, word) && strings.ToUpper(word) == word {
		return Unknown, false
	}
	bracketed := (before == '[' && after == ']') || (before == '<' && after == '>')
	if !named && !bracketed && (word != strings.ToUpper(word) || before == '_' || before == '-' || after == '_' || after == '-' || after == '=') {
		return Unknown, false
	}
	level, ok := ParseLevel(word)
	return level, ok && level != Unknown
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
