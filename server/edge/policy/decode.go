package policy

import (
	"bytes"
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yamlv3 "gopkg.in/yaml.v3"
)

// MaxSize is how long a policy may be, in bytes.
const MaxSize = 64 << 10

// Finding is something that a policy says wrongly, or, as a warning, unwisely.
type Finding struct {
	// Line and Column count from 1; 0 is the file as a whole.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is where, in dots: spec.schedule.timezone.
	Path    string `json:"path"`
	Message string `json:"message"`
	Warning bool   `json:"warning,omitempty"`
}

func (f Finding) String() string {
	switch {
	case f.Line == 0 && f.Path == "":
		return f.Message
	case f.Line == 0:
		return f.Path + ": " + f.Message
	case f.Path == "":
		return fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)
	}
	return fmt.Sprintf("line %d, column %d: %s: %s", f.Line, f.Column, f.Path, f.Message)
}

// Findings are in the order of the text.
type Findings []Finding

// Bad reports whether one of them is more than a warning.
func (f Findings) Bad() bool {
	return slices.ContainsFunc(f, func(x Finding) bool { return !x.Warning })
}

// Parse reads a policy and says everything that is wrong with it, not only the
// first. The policy is of use only if the findings are not Bad.
func Parse(text []byte) (Policy, Findings) {
	p := Default()
	d := decoder{at: map[string]position{}}
	if root := d.root(text); root != nil {
		d.value(root, reflect.ValueOf(&p).Elem(), "")
		check(&p, &d)
	}
	slices.SortStableFunc(d.found, func(a, b Finding) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	return p, d.found
}

type position struct{ line, column int }

// decoder walks a document and remembers where every value stood.
type decoder struct {
	at    map[string]position
	found Findings
}

func (d *decoder) root(text []byte) *yamlv3.Node {
	if len(text) > MaxSize {
		d.found = append(d.found, Finding{Message: fmt.Sprintf("is longer than %d KiB", MaxSize>>10)})
		return nil
	}
	source := yamlv3.NewDecoder(bytes.NewReader(text))
	var document, second yamlv3.Node
	switch err := source.Decode(&document); {
	case errors.Is(err, io.EOF):
		d.found = append(d.found, Finding{Message: "is empty"})
		return nil
	case err != nil:
		d.found = append(d.found, malformed(err))
		return nil
	}
	if err := source.Decode(&second); err == nil {
		d.found = append(d.found, Finding{Line: second.Line, Column: second.Column, Message: "a file holds one policy; this is a second document"})
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.found = append(d.found, malformed(err))
		return nil
	}
	return document.Content[0]
}

var yamlPlace = regexp.MustCompile(`^yaml: line (\d+): `)

func malformed(err error) Finding {
	text := err.Error()
	f := Finding{Message: "is no YAML: " + strings.TrimPrefix(text, "yaml: ")}
	if m := yamlPlace.FindStringSubmatch(text); m != nil {
		f.Line, _ = strconv.Atoi(m[1]) // digits, by the pattern
		f.Column = 1
		f.Message = "is no YAML: " + text[len(m[0]):]
	}
	return f
}

// errorf notes what is wrong at a path, or at the nearest thing above it that
// was written.
func (d *decoder) errorf(path, format string, args ...any) { d.note(path, false, format, args...) }

func (d *decoder) warnf(path, format string, args ...any) { d.note(path, true, format, args...) }

func (d *decoder) note(path string, warning bool, format string, args ...any) {
	for above := path; ; {
		if at, ok := d.at[above]; ok || above == "" {
			d.found = append(d.found, Finding{at.line, at.column, path, fmt.Sprintf(format, args...), warning})
			return
		}
		above = above[:max(0, strings.LastIndexAny(above, ".["))]
	}
}

// given reports whether the text has something at the path.
func (d *decoder) given(path string) bool {
	_, ok := d.at[path]
	return ok
}

var textual = reflect.TypeFor[encoding.TextUnmarshaler]()

func (d *decoder) value(n *yamlv3.Node, into reflect.Value, path string) {
	d.at[path] = position{n.Line, n.Column}
	switch {
	case n.Kind == yamlv3.AliasNode:
		d.errorf(path, "aliases are not understood; write the value out")
	case into.Kind() == reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.value(n, into.Elem(), path)
	case reflect.PointerTo(into.Type()).Implements(textual):
		if text, ok := d.scalar(n, path); ok {
			if err := into.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
				d.errorf(path, "%v", err)
			}
		}
	case into.Kind() == reflect.Struct:
		d.object(n, into, path)
	case into.Kind() == reflect.Map:
		d.labels(n, into, path)
	case into.Kind() == reflect.Slice:
		d.list(n, into, path)
	default:
		d.plain(n, into, path)
	}
}

// scalar is the text of a single value; null counts as not written.
func (d *decoder) scalar(n *yamlv3.Node, path string) (string, bool) {
	if n.Kind != yamlv3.ScalarNode {
		d.errorf(path, "must be a single value, not %s", kindOf(n))
		return "", false
	}
	if n.Tag == "!!null" {
		delete(d.at, path)
		return "", false
	}
	return n.Value, true
}

func (d *decoder) plain(n *yamlv3.Node, into reflect.Value, path string) {
	text, ok := d.scalar(n, path)
	if !ok {
		return
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if n.Tag != "!!bool" {
			d.errorf(path, "%q must be true or false", text)
			return
		}
		into.SetBool(strings.EqualFold(text, "true"))
	case reflect.Int:
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n.Tag != "!!int" {
			d.errorf(path, "%q must be a whole number", text)
			return
		}
		into.SetInt(number)
	}
}

func (d *decoder) object(n *yamlv3.Node, into reflect.Value, path string) {
	fields := fieldsOf(into.Type())
	d.keys(n, path, func(key, value *yamlv3.Node, below string) {
		i, known := fields[key.Value]
		if !known {
			d.at[below] = position{key.Line, key.Column}
			d.errorf(below, "unknown key %q%s", key.Value, meant(key.Value, fields))
			return
		}
		d.value(value, into.Field(i), below)
	})
}

func (d *decoder) labels(n *yamlv3.Node, into reflect.Value, path string) {
	d.keys(n, path, func(key, value *yamlv3.Node, below string) {
		d.at[below] = position{value.Line, value.Column}
		if text, ok := d.scalar(value, below); ok {
			if into.IsNil() {
				into.Set(reflect.MakeMap(into.Type()))
			}
			into.SetMapIndex(reflect.ValueOf(key.Value), reflect.ValueOf(text))
		}
	})
}

// keys walks a mapping once, refusing what is no mapping and what is said twice.
func (d *decoder) keys(n *yamlv3.Node, path string, each func(key, value *yamlv3.Node, below string)) {
	if n.Kind == yamlv3.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yamlv3.MappingNode {
		d.errorf(path, "must have keys, not be %s", kindOf(n))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		below := strings.TrimPrefix(path+"."+key.Value, ".")
		if key.Kind != yamlv3.ScalarNode || key.Tag == "!!merge" || seen[key.Value] {
			at := Finding{key.Line, key.Column, path, "this key is not understood", false}
			if seen[key.Value] {
				at.Message = fmt.Sprintf("the key %q is there twice", key.Value)
			}
			d.found = append(d.found, at)
			continue
		}
		seen[key.Value] = true
		each(key, n.Content[i+1], below)
	}
}

func (d *decoder) list(n *yamlv3.Node, into reflect.Value, path string) {
	if n.Kind == yamlv3.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yamlv3.SequenceNode {
		d.errorf(path, "must be a list, not %s", kindOf(n))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, into.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func kindOf(n *yamlv3.Node) string {
	switch n.Kind {
	case yamlv3.MappingNode:
		return "keys and values"
	case yamlv3.SequenceNode:
		return "a list"
	}
	return "a single value"
}

// fieldsOf gives a struct's fields by the names that its JSON tags say.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	return fields
}

// meant guesses the key that a typo stands for, and else lists them all.
func meant(key string, fields map[string]int) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if near(strings.ToLower(key), strings.ToLower(name)) {
			return fmt.Sprintf("; did you mean %q?", name)
		}
	}
	return "; known here: " + strings.Join(names, ", ")
}

// near reports whether two words differ by a single slip: a letter more, less,
// other, or two swapped.
func near(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	if len(a) < len(b) {
		a, b = b, a
	}
	switch len(a) - len(b) {
	case 0:
		return len(a) < 2 || a[1:] == b[1:] || len(a) > 1 && a[0] == b[1] && a[1] == b[0] && a[2:] == b[2:]
	case 1:
		return a[1:] == b
	}
	return false
}
