package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span as policies write it: "24h", "1h30m", "2d".
type Duration time.Duration

const (
	minute = Duration(time.Minute)
	hour   = Duration(time.Hour)
)

// longest bounds every span, so that sums of them cannot overflow.
const longest = Duration(366 * 24 * time.Hour)

// UnmarshalText reads a span.
func (d *Duration) UnmarshalText(text []byte) error {
	s, days := string(text), time.Duration(0)
	if before, after, found := strings.Cut(s, "d"); found {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil || n > 366 {
			return fmt.Errorf("%q is no duration such as 30m, 24h or 2d", s)
		}
		days, s = time.Duration(n)*24*time.Hour, after
	}
	var rest time.Duration
	if s != "" || days == 0 {
		var err error
		if rest, err = time.ParseDuration(s); err != nil || rest < 0 {
			return fmt.Errorf("%q is no duration such as 30m, 24h or 2d", text)
		}
	}
	if rest > time.Duration(longest) || days+rest > time.Duration(longest) {
		return fmt.Errorf("%q is longer than a year", text)
	}
	*d = Duration(days + rest)
	return nil
}

// MarshalText writes a span without the zeros that Go adds.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Go is the span as the standard library knows it.
func (d Duration) Go() time.Duration { return time.Duration(d) }

// Percent is a part of a whole in hundredths of a percent.
type Percent int

// UnmarshalText reads "2%" or "0.5%".
func (p *Percent) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(string(text), "%")
	f, err := strconv.ParseFloat(number, 64)
	if !found || err != nil || !(f >= 0 && f <= 100) {
		return fmt.Errorf("%q is no percentage from 0%% to 100%%", text)
	}
	*p = Percent(f*100 + 0.5)
	return nil
}

// MarshalText writes it back.
func (p Percent) MarshalText() ([]byte, error) {
	return []byte(strconv.FormatFloat(float64(p)/100, 'f', -1, 64) + "%"), nil
}

// Exceeded reports whether part of whole is more than p.
func (p Percent) Exceeded(part, whole int) bool {
	return int64(part)*10_000 > int64(p)*int64(whole)
}

// Count is a number of nodes, or a part of all: 100 or "5%".
type Count struct {
	Number int
	Part   Percent
}

// UnmarshalText reads either form.
func (c *Count) UnmarshalText(text []byte) error {
	if strings.HasSuffix(string(text), "%") {
		var p Percent
		if err := p.UnmarshalText(text); err != nil {
			return err
		}
		*c = Count{Part: p}
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("%q is neither a number of nodes nor a percentage", text)
	}
	*c = Count{Number: int(n)}
	return nil
}

// MarshalText writes it back.
func (c Count) MarshalText() ([]byte, error) {
	if c.Part > 0 {
		return c.Part.MarshalText()
	}
	return []byte(strconv.Itoa(c.Number)), nil
}

// IsZero reports that nothing was given.
func (c Count) IsZero() bool { return c == Count{} }

// Of is how many of total that is, at least one.
func (c Count) Of(total int) int {
	n := c.Number
	if c.Part > 0 {
		n = int((int64(total)*int64(c.Part) + 9_999) / 10_000)
	}
	return max(1, n)
}

// Instant is a point in time, or a day, which means the whole of it in the
// policy's time zone.
type Instant struct {
	Time time.Time
	// Day says that only a date was written; Time is then its midnight in UTC.
	Day bool
}

// UnmarshalText reads RFC 3339, or a date.
func (i *Instant) UnmarshalText(text []byte) error {
	if t, err := time.Parse(time.DateOnly, string(text)); err == nil {
		*i = Instant{Time: t, Day: true}
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return fmt.Errorf("%q is neither a time such as 2026-11-02T00:00:00Z nor a day such as 2026-11-02", text)
	}
	*i = Instant{Time: t.UTC()}
	return nil
}

// MarshalText writes it back; never is empty.
func (i Instant) MarshalText() ([]byte, error) {
	switch {
	case i.IsZero():
		return nil, nil
	case i.Day:
		return []byte(i.Time.Format(time.DateOnly)), nil
	}
	return []byte(i.Time.Format(time.RFC3339)), nil
}

// IsZero reports that none was given.
func (i Instant) IsZero() bool { return i.Time.IsZero() }

// Start is the instant, or the first moment of the day in loc.
func (i Instant) Start(loc *time.Location) time.Time { return i.in(loc, 0) }

// End is the instant, or the first moment after the day in loc.
func (i Instant) End(loc *time.Location) time.Time { return i.in(loc, 1) }

func (i Instant) in(loc *time.Location, later int) time.Time {
	if !i.Day {
		return i.Time
	}
	y, m, d := i.Time.Date()
	return firstMoment(y, m, d+later, 0, loc)
}
