package jsonlines

import (
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// textTime finds the time with which programs begin a line of text: ISO 8601
// with a blank or a T, syslog's without a year (the nearest one is meant), or a
// web server's between brackets. The line stays as it is.
func textTime(line string, now time.Time) (time.Time, bool) {
	line = strings.TrimLeft(line, "[( ")
	if len(line) < 15 {
		return time.Time{}, false
	}
	if t, ok := isoTime(line); ok && line[0] >= '0' && line[0] <= '9' {
		return t, true
	}
	if t, err := time.Parse(time.Stamp, line[:15]); err == nil {
		return record.NearestYear(t, now), true
	}
	if _, behind, ok := strings.Cut(line, " ["); ok {
		if stamp, _, ok := strings.Cut(behind, "]"); ok && len(stamp) <= 40 {
			return record.ParseTime(stamp)
		}
	}
	return time.Time{}, false
}

// isoTime takes the first word, or two if the blank stands between date and time.
func isoTime(line string) (time.Time, bool) {
	words := strings.SplitN(line, " ", 3)
	for n := min(2, len(words)); n > 0; n-- {
		stamp := strings.Replace(strings.TrimRight(strings.Join(words[:n], " "), "])|,:"), ",", ".", 1)
		if len(stamp) < 10 || !strings.ContainsAny(stamp, "-/:") {
			continue
		}
		if t, ok := record.ParseTime(stamp); ok {
			return t, true
		}
	}
	return time.Time{}, false
}
