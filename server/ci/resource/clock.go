package resource

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// timeType makes a version when time has passed: every interval, or once in each
// window from start to stop, on some days.
type timeType struct{ opts Options }

// schedule is a time resource's source.
type schedule struct {
	interval    time.Duration
	window      bool
	start, stop time.Duration // since midnight
	zone        *time.Location
	days        []time.Weekday
	initial     bool
}

var clockFormats = []string{
	"15:04", "3:04 PM", "3:04PM", "3 PM", "3PM", "1504",
	"15:04 -0700", "3:04 PM -0700", "3:04PM -0700", "3 PM -0700", "3PM -0700", "1504 -0700",
}

func readSchedule(req Request) (schedule, error) {
	f := sourceOf(req)
	s := schedule{zone: time.UTC, initial: f.boolean("initial_version")}
	if text := f.text("location"); text != "" {
		zone, err := time.LoadLocation(text)
		if err != nil {
			f.fail("location", fmt.Sprintf("%q is not a time zone. Write one like Europe/Berlin.", text))
		} else {
			s.zone = zone
		}
	}
	if text := f.text("interval"); text != "" {
		var err error
		if s.interval, err = time.ParseDuration(text); err != nil || s.interval <= 0 {
			f.fail("interval", fmt.Sprintf("%q is not a duration. Write it like 30m or 24h.", text))
		}
	}
	start, stop := f.text("start"), f.text("stop")
	if (start == "") != (stop == "") {
		f.fail("start", "and source.stop go together. Add the missing one.")
	}
	if start != "" && stop != "" {
		s.window = true
		s.start = clockTime(f, "start", start, &s.zone)
		s.stop = clockTime(f, "stop", stop, &s.zone)
	}
	for _, name := range f.texts("days") {
		i := slices.IndexFunc(weekdays, func(d time.Weekday) bool { return strings.EqualFold(d.String(), name) })
		if i < 0 {
			f.fail("days", fmt.Sprintf("has %q, which is no day. Write days like Monday.", name))
			continue
		}
		s.days = append(s.days, weekdays[i])
	}
	if f.err == nil && s.interval == 0 && !s.window {
		f.fail("interval", "is missing. Add it, or source.start and source.stop.")
	}
	return s, f.err
}

var weekdays = []time.Weekday{time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday}

// clockTime reads a time of day; one with an offset says the zone, too.
func clockTime(f *fields, key, text string, zone **time.Location) time.Duration {
	for _, format := range clockFormats {
		t, err := time.Parse(format, strings.ToUpper(text))
		if err != nil {
			continue
		}
		if strings.HasSuffix(format, "-0700") {
			_, offset := t.Zone()
			*zone = time.FixedZone("", offset)
		}
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	f.fail(key, fmt.Sprintf("%q is not a time of day. Write it like 20:00 or 8:00 PM.", text))
	return 0
}

// windowAt is the window that a moment is in. One that stops before it starts goes
// over midnight and belongs to the day it begins on.
func (s schedule) windowAt(now time.Time) (begin time.Time, inside bool) {
	now = now.In(s.zone)
	for _, back := range []int{0, 1} {
		day := now.AddDate(0, 0, -back)
		if len(s.days) > 0 && !slices.Contains(s.days, day.Weekday()) {
			continue
		}
		begin, end := s.at(day, s.start), s.at(day, s.stop)
		if s.stop <= s.start {
			end = s.at(day.AddDate(0, 0, 1), s.stop)
		}
		if !now.Before(begin) && now.Before(end) {
			return begin, true
		}
	}
	return time.Time{}, false
}

// at is a time of a day as its clocks show it, also when they were changed that day.
func (s schedule) at(day time.Time, clock time.Duration) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), int(clock/time.Hour), int(clock%time.Hour/time.Minute), 0, 0, s.zone)
}

// due says whether there is a new version now.
func (s schedule) due(now, previous time.Time) bool {
	if s.window {
		begin, inside := s.windowAt(now)
		if !inside {
			return false
		}
		if s.interval == 0 {
			return previous.Before(begin)
		}
	} else if len(s.days) > 0 && !slices.Contains(s.days, now.In(s.zone).Weekday()) {
		return false
	}
	return previous.IsZero() || now.Sub(previous) >= s.interval
}

// Check adds a version to the given one when the schedule says so.
func (t timeType) Check(_ context.Context, req Request) ([]Version, error) {
	s, err := readSchedule(req)
	if err != nil {
		return nil, err
	}
	versions := []Version{}
	var previous time.Time
	if text := req.Version["time"]; text != "" {
		if previous, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, fmt.Errorf("the version's time %q is not a time: %w", text, err)
		}
		versions = append(versions, req.Version)
	}
	now := t.opts.Now().UTC()
	if s.due(now, previous) || s.initial && previous.IsZero() {
		versions = append(versions, timeVersion(now))
	}
	return versions, nil
}

func timeVersion(at time.Time) Version { return Version{"time": at.Format(time.RFC3339Nano)} }

// Get writes the request, and the time as text and in seconds.
func (t timeType) Get(ctx context.Context, req Request) (Result, error) {
	text := req.Version["time"]
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return Result{}, fmt.Errorf("the version's time %q is not a time: %w", text, err)
	}
	input, err := json.Marshal(scriptInput{Source: req.Source, Params: req.Params, Version: req.Version})
	if err != nil {
		return Result{}, err
	}
	err = fill(ctx, req.Executor, req.Dest, func(out *tar.Writer) error {
		return errors.Join(
			addFile(out, "input", input),
			addFile(out, "timestamp", []byte(at.Format(time.RFC3339Nano)+"\n")),
			addFile(out, "epoch", []byte(strconv.FormatInt(at.Unix(), 10)+"\n")))
	})
	return Result{Version: req.Version}, err
}

// Put makes a version of this moment.
func (t timeType) Put(_ context.Context, req Request) (Result, error) {
	f := sourceOf(req)
	zone := time.UTC
	if text := f.text("location"); text != "" {
		var err error
		if zone, err = time.LoadLocation(text); err != nil {
			return Result{}, fmt.Errorf("source.location %q is not a time zone. Write one like Europe/Berlin", text)
		}
	}
	return Result{Version: timeVersion(t.opts.Now().In(zone))}, f.err
}
