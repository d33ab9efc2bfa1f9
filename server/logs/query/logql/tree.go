package logql

import (
	"time"

	"github.com/signalbox/signalbox/server/logs/query"
)

// Expr is a parsed text: lines are asked for if Log is set, numbers if Metric is.
type Expr struct {
	Log    *query.Query
	Metric Metric
}

// Metric is an expression whose value is a set of series, or a number.
type Metric interface{ isMetric() }

// Range makes one number per series and step from the lines of a window.
type Range struct {
	// Func is rate, count_over_time, bytes_rate, bytes_over_time,
	// absent_over_time or, of unwrapped values, rate, rate_counter,
	// sum_over_time, avg_over_time, min_over_time, max_over_time,
	// stdvar_over_time, stddev_over_time, quantile_over_time,
	// first_over_time, last_over_time.
	Func     string
	Log      *query.Query
	Window   time.Duration
	Offset   time.Duration
	Unwrap   *Unwrap
	Quantile float64
	Group    *Grouping
}

// Unwrap takes the numbers from a label; As is "", duration or bytes.
type Unwrap struct{ Name, As string }

// Grouping is by or without some labels.
type Grouping struct {
	Without bool
	Names   []string
}

// Vector aggregates series: sum, avg, min, max, count, stddev, stdvar, topk,
// bottomk, sort, sort_desc.
type Vector struct {
	Op    string
	N     int
	Group *Grouping
	X     Metric
}

// Binary combines two; On or Ignoring choose the labels that must be equal.
type Binary struct {
	Op       string
	Bool     bool
	L, R     Metric
	On       bool
	Matching []string
}

// Number is the same for every step.
type Number float64

// Constant is vector(n): one series without labels.
type Constant float64

// LabelReplace is label_replace of PromQL.
type LabelReplace struct {
	X                     Metric
	To, With, From, Regex string
}

func (*Range) isMetric()        {}
func (*Vector) isMetric()       {}
func (*Binary) isMetric()       {}
func (Number) isMetric()        {}
func (Constant) isMetric()      {}
func (*LabelReplace) isMetric() {}
