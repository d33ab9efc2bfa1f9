package resource

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// fields reads a source or params map with types. The first mistake is kept, so that
// a type reads all that it knows and asks once; keys it does not ask for are allowed.
type fields struct {
	where  string // "source" or "params"
	values map[string]any
	err    error
}

func sourceOf(req Request) *fields { return &fields{where: "source", values: req.Source} }
func paramsOf(req Request) *fields { return &fields{where: "params", values: req.Params} }

func (f *fields) fail(key, what string) {
	if f.err == nil {
		f.err = fmt.Errorf("%s.%s %s", f.where, key, what)
	}
}

func (f *fields) wrong(key, want string, got any) {
	f.fail(key, fmt.Sprintf("must be %s, but is %s. Correct it in the pipeline.", want, kindOf(got)))
}

// text is a string; a number or boolean that YAML made of it is taken as written.
func (f *fields) text(key string) string {
	switch v := f.values[key].(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int, int64, float64, json.Number:
		return fmt.Sprint(v)
	default:
		f.wrong(key, "a string", v)
		return ""
	}
}

// required is a string that must be there.
func (f *fields) required(key string) string {
	v := f.text(key)
	if v == "" {
		f.fail(key, "is missing. Add it in the pipeline.")
	}
	return v
}

func (f *fields) boolean(key string) bool {
	switch v := f.values[key].(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
		f.wrong(key, "true or false", v)
	default:
		f.wrong(key, "true or false", v)
	}
	return false
}

// boolOr is a boolean with a default.
func (f *fields) boolOr(key string, otherwise bool) bool {
	if f.values[key] == nil {
		return otherwise
	}
	return f.boolean(key)
}

func (f *fields) count(key string) int {
	var n float64
	switch v := f.values[key].(type) {
	case nil:
		return 0
	case int:
		n = float64(v)
	case int64:
		n = float64(v)
	case float64:
		n = v
	case string:
		parsed, err := strconv.Atoi(v)
		if err != nil {
			parsed = -1
		}
		n = float64(parsed)
	case json.Number:
		parsed, err := v.Int64()
		if err != nil {
			parsed = -1
		}
		n = float64(parsed)
	default:
		n = -1
	}
	if n < 0 || n != math.Trunc(n) || n > math.MaxInt32 {
		f.wrong(key, "a whole number that is not negative", f.values[key])
		return 0
	}
	return int(n)
}

// texts is a list of strings; a single string is a list of one.
func (f *fields) texts(key string) []string {
	switch v := f.values[key].(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []string:
		return slices.Clone(v)
	case []any:
		out := make([]string, 0, len(v))
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				f.wrong(key, "a list of strings", item)
				return nil
			}
			out = append(out, s)
		}
		return out
	default:
		f.wrong(key, "a list of strings", v)
		return nil
	}
}

// object is a map.
func (f *fields) object(key string) map[string]any {
	switch v := f.values[key].(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	default:
		f.wrong(key, "a map", v)
		return nil
	}
}

// objects is a list of maps.
func (f *fields) objects(key string) []map[string]any {
	list, ok := f.values[key].([]any)
	if !ok {
		if f.values[key] != nil {
			f.wrong(key, "a list of maps", f.values[key])
		}
		return nil
	}
	out := make([]map[string]any, 0, len(list))
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			f.wrong(key, "a list of maps", item)
			return nil
		}
		out = append(out, m)
	}
	return out
}

// oneOf is a string out of a few; the first is the default.
func (f *fields) oneOf(key string, allowed ...string) string {
	v := f.text(key)
	if v == "" {
		return allowed[0]
	}
	if !slices.Contains(allowed, v) {
		f.fail(key, fmt.Sprintf("must be one of %q, but is %q. Correct it in the pipeline.", allowed, v))
	}
	return v
}

// refuse names keys that would change what is fetched and that this type cannot honour.
func (f *fields) refuse(keys ...string) {
	for _, key := range keys {
		if f.values[key] != nil {
			f.fail(key, "is not supported by the built-in type. Remove it, or declare a resource type with an image that supports it.")
		}
	}
}

// only refuses every other key.
func (f *fields) only(keys ...string) {
	var unknown []string
	for key := range f.values {
		if !slices.Contains(keys, key) {
			unknown = append(unknown, key)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		f.fail(unknown[0], "is unknown. Remove it, or correct its spelling.")
	}
}

func kindOf(v any) string {
	switch v := v.(type) {
	case string:
		return "the string " + strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case int, int64, float64, json.Number:
		return fmt.Sprintf("the number %v", v)
	case map[string]any:
		return "a map"
	case []any, []string:
		return "a list"
	case nil:
		return "null"
	}
	return fmt.Sprintf("%T", v)
}
