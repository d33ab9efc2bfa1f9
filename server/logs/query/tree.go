package query

import (
	"regexp"
	"time"
)

// Query is a condition and what is done with the records that meet it. The
// zero Query holds for every record.
type Query struct {
	Filter Expr
	Pipes  []Pipe
}

// Expr is a condition on one record; nil holds for everything.
type Expr interface{ isExpr() }

// And holds when all do.
type And []Expr

// Or holds when one does.
type Or []Expr

// Not holds when X does not.
type Not struct{ X Expr }

// Text is a search for words.
type Text struct {
	// Field is where: "" is the message and the values of all fields.
	Field string
	Text  string
	Mode  TextMode
	// Exact tells upper from lower case.
	Exact bool
}

// TextMode is how a text must lie in what is searched.
type TextMode string

// Whole words, words of which the last may go on, or any part.
const (
	WholeWords TextMode = "words"
	Prefix     TextMode = "prefix"
	Substring  TextMode = "substring"
)

// Regexp is a search by a regular expression (RE2); Field as in Text.
type Regexp struct {
	Field string
	Re    *regexp.Regexp
	// Whole demands that the expression covers the whole value, as LogQL's
	// matchers of labels do.
	Whole bool
	// Label asks the stream's labels alone.
	Label bool
}

// Compare holds when a field stands in a relation to a value. A record
// without the field has the empty text.
type Compare struct {
	Field string
	Op    Op
	Value string
	// Exact tells upper from lower case and takes * for a star.
	Exact bool
	// Label asks the stream's labels alone.
	Label bool
	// Numeric makes = and != compare numbers; a value that is none does not hold.
	Numeric bool
	// number is Value in the base unit of its dimension.
	number number
	glob   *regexp.Regexp
}

// Op is a relation between a field and a value.
type Op string

// The relations; the last four compare numbers, durations, sizes and levels.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	More     Op = ">"
	AtLeast  Op = ">="
	Less     Op = "<"
	AtMost   Op = "<="
)

// Exists holds for a record that has the field with a value.
type Exists struct{ Field string }

// Network holds when the field is an address inside one of the networks.
type Network struct {
	Field  string
	Prefix []Prefixed
}

func (And) isExpr()     {}
func (Or) isExpr()      {}
func (Not) isExpr()     {}
func (Text) isExpr()    {}
func (Regexp) isExpr()  {}
func (Compare) isExpr() {}
func (Exists) isExpr()  {}
func (Network) isExpr() {}

// Pipe is one step behind the condition.
type Pipe interface{ isPipe() }

// Where lets through what meets a condition.
type Where struct{ Filter Expr }

// Stats counts and calculates, one row for each combination of By.
type Stats struct {
	Calls []Call
	By    []By
}

// Call is one figure of Stats.
type Call struct {
	Func  string
	Field string
	// Quantile is 0–1, for quantile only.
	Quantile float64
	Name     string
}

// By is what Stats groups by: a field, or the time in steps.
type By struct {
	Field string
	Step  time.Duration
}

// Top counts the combinations of values of Fields, the most frequent first.
type Top struct {
	N      int
	Fields []string
}

// Sort orders rows.
type Sort struct{ Keys []SortKey }

// SortKey is one column that is sorted by.
type SortKey struct {
	Field string
	Desc  bool
}

// Limit ends after N rows.
type Limit struct{ N int }

// Fields keeps only these.
type Fields struct{ Names []string }

// Dedup keeps the first row for each combination of values.
type Dedup struct{ Names []string }

// Pattern groups messages that are alike.
type Pattern struct{}

// Extract reads fields out of the message (LogQL's json, logfmt, regexp,
// pattern and unpack).
type Extract struct {
	Format ExtractFormat
	// Names maps new names to paths; empty takes all.
	Names []Rename
	Re    *regexp.Regexp
}

// ExtractFormat is how the message is read.
type ExtractFormat string

// The formats that Extract reads.
const (
	ExtractJSON   ExtractFormat = "json"
	ExtractLogfmt ExtractFormat = "logfmt"
	ExtractRegexp ExtractFormat = "regexp"
	ExtractUnpack ExtractFormat = "unpack"
)

// Rename gives what was From (a path or a label) the name To.
type Rename struct{ To, From string }

// LineFormat writes the message anew.
type LineFormat struct{ Template *Template }

// LabelFormat sets fields: by another field's value or a template.
type LabelFormat struct{ Sets []LabelSet }

// LabelSet is one assignment of LabelFormat; From is used without a Template.
type LabelSet struct {
	Name     string
	From     string
	Template *Template
}

// Keep drops all labels but these, or all that do not meet the condition.
type Keep struct{ Names []LabelTest }

// Drop drops labels.
type Drop struct{ Names []LabelTest }

// LabelTest names a label, and a condition on it if Only is not nil.
type LabelTest struct {
	Name string
	Only Expr
}

// Decolorize removes the escape sequences of terminals.
type Decolorize struct{}

func (Where) isPipe()       {}
func (Stats) isPipe()       {}
func (Top) isPipe()         {}
func (Sort) isPipe()        {}
func (Limit) isPipe()       {}
func (Fields) isPipe()      {}
func (Dedup) isPipe()       {}
func (Pattern) isPipe()     {}
func (Extract) isPipe()     {}
func (LineFormat) isPipe()  {}
func (LabelFormat) isPipe() {}
func (Keep) isPipe()        {}
func (Drop) isPipe()        {}
func (Decolorize) isPipe()  {}

// Error says what is wrong with a text and where: Pos to End in characters
// (not bytes) of it.
type Error struct {
	Pos, End int
	Message  string
}

func (e *Error) Error() string { return e.Message }
