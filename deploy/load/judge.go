package main

import (
	"fmt"
	"slices"
	"time"
)

// sample is one look at the server.
type sample struct {
	at time.Duration
	// values by name, in the units of watched.
	values map[string]float64
}

// watched is what a soak judges. What grows by design (the disk, the database)
// is shown and not judged.
type watched struct {
	name, unit string
	judged     bool
	// slack is how much more the end may have than the middle, beside a tenth of it.
	slack float64
}

var everything = []watched{
	{"memory", "MB", true, 24}, {"heap", "MB", true, 24}, {"goroutines", "", true, 50}, {"open files", "", true, 20}, {"threads", "", true, 10},
	{"jobs waiting", "", true, 50}, {"jobs running", "", true, 20}, {"jobs dead", "", true, 0},
	{"deliveries waiting", "", true, 50}, {"events waiting", "KB", true, 4096}, {"builds open", "", true, 5}, {"spool", "MB", true, 48},
	{"database", "MB", false, 0}, {"log lines", "MB", false, 0}, {"disk", "MB", false, 0}, {"machine load", "", false, 0},
	// A machine that is busy with others makes queues; these two tell that from a server that cannot.
	{"on a processor", "s", false, 0}, {"waiting for one", "s", false, 0},
}

// verdict is what became of one value over a soak.
type verdict struct {
	watched
	// first, middle and last are medians of the second, third and last quarter of the samples after the warm-up; peak is the highest of all.
	first, middle, last, peak float64
	// perHour is the slope of the straight line through the samples after the warm-up.
	perHour float64
	grows   bool
}

func (v verdict) String() string {
	word := "flat"
	switch {
	case !v.judged:
		word = "shown only"
	case v.grows:
		word = "GROWS"
	}
	return fmt.Sprintf("%-19s %9.0f %9.0f %9.0f %9.0f %+10.1f/h  %-3s %s", v.name, v.first, v.middle, v.last, v.peak, v.perHour, v.unit, word)
}

const verdictHead = "after the warm-up   1st third 2nd third 3rd third      peak      slope"

// judge leaves out the first quarter, while caches fill, and compares thirds of
// the rest: something grows when each third has more than the one before, and the
// last exceeds the first by more than a tenth and the slack.
func judge(samples []sample) []verdict {
	samples = samples[len(samples)/4:]
	var out []verdict
	for _, w := range everything {
		v := verdict{watched: w}
		var all []float64
		for _, s := range samples {
			all = append(all, s.values[w.name])
			v.peak = max(v.peak, s.values[w.name])
		}
		third := max(1, len(all)/3)
		v.first, v.middle, v.last = median(all[:min(third, len(all))]), median(all[min(third, len(all)):min(2*third, len(all))]), median(all[min(2*third, len(all)):])
		v.perHour = slope(samples, w.name)
		v.grows = w.judged && v.last > v.middle && v.middle >= v.first && v.last-v.first > v.first/10+w.slack
		out = append(out, v)
	}
	return out
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// slope is the least-squares line's rise in an hour.
func slope(samples []sample, name string) float64 {
	var n, sx, sy, sxx, sxy float64
	for _, s := range samples {
		x, y := s.at.Hours(), s.values[name]
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d > 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
