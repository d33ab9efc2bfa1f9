package vars

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Lookup knows the values of references. It answers with the whole value at
// Source and Path; the fields of the reference are followed here afterwards.
type Lookup interface {
	Get(ctx context.Context, ref Ref) (value any, found bool, err error)
}

// UndefinedError lists the references that no Lookup knew, sorted.
type UndefinedError struct{ Names []string }

func (e *UndefinedError) Error() string {
	return "undefined vars: " + strings.Join(e.Names, ", ")
}

// Open is a value that is no secret: a Tracker hands it out and does not remember it.
type Open struct{ Value any }

// Static is a Lookup over fixed values for references without a source.
type Static map[string]any

// Get finds a value by path.
func (s Static) Get(_ context.Context, ref Ref) (any, bool, error) {
	if ref.Source != "" {
		return nil, false, nil
	}
	value, ok := s[ref.Path]
	return value, ok, nil
}

// Sources is a Lookup that forwards each reference to the Lookup named like its
// source. The key "" serves references without one.
type Sources map[string]Lookup

// Get forwards the reference without its source. An unknown source is an
// error, except for local vars and plain references, which are just not found.
func (s Sources) Get(ctx context.Context, ref Ref) (any, bool, error) {
	lookup, ok := s[ref.Source]
	if !ok {
		if ref.Source == "" || ref.Source == LocalSource {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("missing source '%s' in var: %s", ref.Source, ref)
	}
	ref.Source = ""
	return lookup.Get(ctx, ref)
}

// First is a Lookup that asks its elements in turn and takes the first answer.
type First []Lookup

// Get asks each element until one has found the value or failed.
func (f First) Get(ctx context.Context, ref Ref) (any, bool, error) {
	for _, lookup := range f {
		if value, found, err := lookup.Get(ctx, ref); found || err != nil {
			return value, found, err
		}
	}
	return nil, false, nil
}

// Interpolate gives a copy of tree with every reference replaced. A text that
// is one reference becomes the value with its type; inside longer text only
// text and whole numbers may stand. Keys are replaced too. Unknown references
// are gathered into one UndefinedError.
func Interpolate(ctx context.Context, tree any, lookup Lookup) (any, error) {
	result, missing, err := replaceAll(ctx, tree, lookup)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, &UndefinedError{Names: missing}
	}
	return result, nil
}

// InterpolateKnown is Interpolate that leaves unknown references in place, as
// setting a pipeline with `--var` does.
func InterpolateKnown(ctx context.Context, tree any, lookup Lookup) (any, error) {
	result, _, err := replaceAll(ctx, tree, lookup)
	return result, err
}

func replaceAll(ctx context.Context, tree any, lookup Lookup) (any, []string, error) {
	r := replacer{ctx: ctx, lookup: lookup, missing: map[string]bool{}}
	result, err := r.value(tree)
	return result, slices.Sorted(maps.Keys(r.missing)), err
}

type replacer struct {
	ctx     context.Context
	lookup  Lookup
	missing map[string]bool
}

func (r *replacer) value(node any) (any, error) {
	switch node := node.(type) {
	case string:
		return r.text(node)
	case map[string]any:
		return r.mapping(node)
	case map[string]string:
		return r.textMapping(node)
	case []any:
		list := make([]any, len(node))
		for i, item := range node {
			value, err := r.value(item)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case []string:
		list := make([]any, len(node))
		for i, item := range node {
			value, err := r.text(item)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	}
	return node, nil
}

func (r *replacer) mapping(node map[string]any) (any, error) {
	result := make(map[string]any, len(node))
	for _, key := range slices.Sorted(maps.Keys(node)) {
		value, err := r.value(node[key])
		if err != nil {
			return nil, err
		}
		newKey, err := r.key(key)
		if err != nil {
			return nil, err
		}
		result[newKey] = value
	}
	return result, nil
}

func (r *replacer) textMapping(node map[string]string) (any, error) {
	wide := make(map[string]any, len(node))
	for key, value := range node {
		wide[key] = value
	}
	return r.mapping(wide)
}

func (r *replacer) key(key string) (string, error) {
	value, err := r.text(key)
	if err != nil {
		return "", err
	}
	text, ok := scalarText(value)
	if !ok {
		return "", fmt.Errorf("cannot use the value of %s (%T) as a key", key, value)
	}
	return text, nil
}

func (r *replacer) text(text string) (any, error) {
	matches := pattern.FindAllStringSubmatchIndex(text, -1)
	if len(matches) == 0 {
		return text, nil
	}
	var b strings.Builder
	end := 0
	for _, m := range matches {
		name := text[m[2]:m[3]]
		value, found, err := r.get(name)
		if err != nil {
			return nil, err
		}
		b.WriteString(text[end:m[0]])
		end = m[1]
		if !found {
			b.WriteString(text[m[0]:m[1]])
			continue
		}
		if m[0] == 0 && m[1] == len(text) {
			return value, nil
		}
		part, ok := scalarText(value)
		if !ok {
			return nil, fmt.Errorf("cannot interpolate non-primitive value (%T) from var: %s", value, name)
		}
		b.WriteString(part)
	}
	b.WriteString(text[end:])
	return b.String(), nil
}

func (r *replacer) get(name string) (any, bool, error) {
	ref, err := ParseRef(name)
	if err != nil {
		return nil, false, err
	}
	value, found, err := Resolve(r.ctx, ref, r.lookup)
	if err == nil && !found {
		r.missing[ref.String()] = true
	}
	return value, found, err
}

// ErrNoLookup means that references cannot be resolved here at all.
var ErrNoLookup = errors.New("no vars are available here")

// Resolve looks one reference up and goes into its fields.
func Resolve(ctx context.Context, ref Ref, lookup Lookup) (any, bool, error) {
	if lookup == nil {
		return nil, false, ErrNoLookup
	}
	value, found, err := lookup.Get(ctx, ref)
	if err != nil || !found {
		return nil, false, err
	}
	if open, ok := value.(Open); ok {
		value = open.Value
	}
	value, err = field(value, ref)
	return value, err == nil, err
}

// field follows the fields of a reference into a value.
func field(value any, ref Ref) (any, error) {
	for _, name := range ref.Fields {
		var found bool
		switch m := value.(type) {
		case map[string]any:
			value, found = m[name]
		case map[string]string:
			value, found = m[name]
		default:
			return nil, fmt.Errorf("cannot access field '%s' of non-map value ('%T') from var: %s", name, value, ref)
		}
		if !found {
			return nil, fmt.Errorf("missing field '%s' in var: %s", name, ref)
		}
	}
	return value, nil
}

// scalarText gives the text of values that may stand inside longer text.
// Whole floats count as integers, since numbers that come from JSON are floats.
func scalarText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), true
	case float64:
		// Beyond 2^53 a float does not hold the number that was written.
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
	}
	return "", false
}

// eachText visits every text in tree, keys included.
func eachText(tree any, visit func(string)) {
	switch node := tree.(type) {
	case string:
		visit(node)
	case []any:
		for _, item := range node {
			eachText(item, visit)
		}
	case []string:
		for _, item := range node {
			visit(item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			visit(key)
			eachText(node[key], visit)
		}
	case map[string]string:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			visit(key)
			visit(node[key])
		}
	}
}
