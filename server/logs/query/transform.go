package query

import (
	"regexp"
	"strings"

	"github.com/signalbox/signalbox/server/logs/drain"
	"github.com/signalbox/signalbox/server/logs/record"
)

// maxExtracted bounds the fields that one line may give.
const maxExtracted = 200

// transform makes the function of a pipe that changes rows one by one; false
// leaves a row out.
func transform(p Pipe) func(*View) bool {
	switch p := p.(type) {
	case Extract:
		return func(v *View) bool { p.apply(v); return true }
	case LineFormat:
		return func(v *View) bool {
			v.format(record.NameMessage, p.Template)
			return true
		}
	case LabelFormat:
		return func(v *View) bool { p.apply(v); return true }
	case Drop:
		tests := labelTests(p.Names)
		return func(v *View) bool {
			for _, t := range tests {
				if t.holds(v) {
					v.hide(t.name)
				}
			}
			return true
		}
	case Keep:
		tests := labelTests(p.Names)
		return func(v *View) bool { keep(v, tests); return true }
	case Decolorize:
		return func(v *View) bool {
			if line := v.Line(); strings.Contains(line, "\x1b") {
				v.set(record.NameMessage, colours.ReplaceAllString(line, ""))
			}
			return true
		}
	}
	return func(*View) bool { return true }
}

// colours are control sequences of terminals (ECMA-48, CSI).
var colours = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")

type labelTest struct {
	name  string
	holds condition
}

func labelTests(names []LabelTest) []labelTest {
	tests := make([]labelTest, len(names))
	for i, n := range names {
		tests[i] = labelTest{n.Name, compile(n.Only)}
	}
	return tests
}

func keep(v *View, tests []labelTest) {
	kept := map[string]bool{}
	for _, t := range tests {
		if t.holds(v) {
			kept[t.name] = true
		}
	}
	var hide []string
	for name := range v.Values() {
		if !kept[name] {
			hide = append(hide, name)
		}
	}
	for _, name := range hide {
		v.hide(name)
	}
}

func (v *View) format(name string, t *Template) {
	text, err := t.write(v)
	if err != nil {
		v.set(ErrorName, "TemplateFormatErr")
		return
	}
	v.set(name, text)
}

func (p LabelFormat) apply(v *View) {
	for _, s := range p.Sets {
		if s.Template != nil {
			v.format(s.Name, s.Template)
			continue
		}
		if value, ok := v.Value(s.From); ok {
			v.set(s.Name, value)
			v.hide(s.From)
		}
	}
}

func (p Extract) apply(v *View) {
	line := v.Line()
	var fields []record.Field
	ok := true
	switch p.Format {
	case ExtractJSON, ExtractUnpack:
		var err error
		fields, err = record.Flatten([]byte(line), record.Limits{Depth: 8, Fields: maxExtracted, Name: 256, Value: 32 << 10})
		// A line whose fields were found at intake has nothing left to extract.
		ok = err == nil || len(v.Fields) > 0
	case ExtractLogfmt:
		fields = logfmt(line)
	case ExtractRegexp:
		if m := p.Re.FindStringSubmatch(line); m != nil {
			for i, name := range p.Re.SubexpNames() {
				if name != "" {
					fields = append(fields, record.Field{Name: name, Value: m[i]})
				}
			}
		}
	}
	if !ok {
		v.set(ErrorName, "JSONParserErr")
		return
	}
	p.take(v, fields)
}

func (p Extract) take(v *View, fields []record.Field) {
	if len(p.Names) > 0 {
		for _, n := range p.Names {
			for _, f := range fields {
				if f.Name == n.From || labelName(f.Name) == labelName(n.From) {
					v.set(n.To, f.Value)
				}
			}
		}
		return
	}
	for _, f := range fields {
		name := f.Name
		if p.Format == ExtractJSON {
			name = labelName(name)
		}
		if p.Format == ExtractUnpack && f.Name == "_entry" {
			v.set(record.NameMessage, f.Value)
			continue
		}
		// As in Loki, what was there keeps its name.
		if _, taken := v.Value(name); taken {
			name += "_extracted"
		}
		v.set(name, f.Value)
	}
}

// labelName makes a name that LogQL can write: letters, digits, underscores.
func labelName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// logfmt reads name=value and name="quoted value" pairs; a name alone is empty.
func logfmt(line string) []record.Field {
	var fields []record.Field
	for i := 0; i < len(line) && len(fields) < maxExtracted; {
		if line[i] <= ' ' {
			i++
			continue
		}
		start := i
		for i < len(line) && line[i] > ' ' && line[i] != '=' {
			i++
		}
		name, value := line[start:i], ""
		if i < len(line) && line[i] == '=' {
			value, i = logfmtValue(line, i+1)
			if name != "" {
				fields = append(fields, record.Field{Name: labelName(name), Value: value})
			}
		}
	}
	return fields
}

func logfmtValue(line string, i int) (string, int) {
	if i >= len(line) || line[i] != '"' {
		start := i
		for i < len(line) && line[i] > ' ' {
			i++
		}
		return line[start:i], i
	}
	var b strings.Builder
	for i++; i < len(line) && line[i] != '"'; i++ {
		if line[i] == '\\' && i+1 < len(line) {
			i++
			switch line[i] {
			case 'n':
				b.WriteByte('\n')
				continue
			case 't':
				b.WriteByte('\t')
				continue
			}
		}
		b.WriteByte(line[i])
	}
	return b.String(), i + 1
}

type patternStep struct {
	next step
	tree *drain.Tree
	cut  func(string)
}

func newPatternStep(next step, cut func(string)) *patternStep {
	return &patternStep{next: next, tree: drain.New(2000), cut: cut}
}

func (s *patternStep) add(v *View) bool {
	s.tree.Add(v.Line())
	return true
}

func (s *patternStep) flush() {
	if s.tree.Full() {
		s.cut("There are more patterns than can be told apart.")
	}
	patterns := s.tree.Patterns()
	rows := &sortStep{next: s.next, keys: []SortKey{{"count", true}}, cut: s.cut}
	for _, p := range patterns {
		rows.add(&View{Extra: []record.Field{
			{Name: "pattern", Value: p.Text}, {Name: "count", Value: formatFloat(float64(p.Count)), Kind: record.Number}, {Name: "sample", Value: p.Sample},
		}})
	}
	rows.flush()
}
