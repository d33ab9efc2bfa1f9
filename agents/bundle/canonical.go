package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Canonical encodes v in the one form that is signed: keys sorted, no spaces,
// whole numbers only, and no escapes but \" and \\ (the OLPC form that TUF uses).
func Canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := canonical(&out, tree); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func canonical(out *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, v)
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return fmt.Errorf("%s is not a whole number", v)
		}
		out.WriteString(v.String())
	case string:
		canonicalString(out, v)
	case []any:
		out.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := canonical(out, e); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	case map[string]any:
		return canonicalMap(out, v)
	}
	return nil
}

func canonicalMap(out *bytes.Buffer, m map[string]any) error {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	out.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			out.WriteByte(',')
		}
		canonicalString(out, key)
		out.WriteByte(':')
		if err := canonical(out, m[key]); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func canonicalString(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	out.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	out.WriteByte('"')
}

// checkShape refuses JSON nested deeper than MaxDepth before a decoder recurses
// into it, and null: no document here has one, and the TUF library dereferences it.
func checkShape(data []byte) error {
	depth, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return refuse(Malformed, "The JSON is nested more than %d deep.", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		case c == 'n': // of nothing but null outside a string
			return refuse(Malformed, "The JSON holds a null.")
		}
	}
	return nil
}

// Encode validates the manifest and returns its only form.
func (m *Manifest) Encode() ([]byte, error) {
	c := *m
	c.Created, c.Expires = c.Created.UTC().Truncate(time.Second), c.Expires.UTC().Truncate(time.Second)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	data, err := Canonical(c)
	if err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	if len(data) > MaxManifest {
		return nil, refuse(Malformed, "The manifest is %d bytes; the limit is %d.", len(data), MaxManifest)
	}
	return data, nil
}

// ParseManifest reads a manifest. Only the bytes that Encode makes are accepted:
// with two spellings of one manifest, two readers could see two things.
func ParseManifest(data []byte) (*Manifest, error) {
	if len(data) > MaxManifest {
		return nil, refuse(Malformed, "The manifest is %d bytes; the limit is %d.", len(data), MaxManifest)
	}
	if !utf8.Valid(data) {
		return nil, refuse(Malformed, "The manifest is not UTF-8.")
	}
	if err := checkShape(data); err != nil {
		return nil, err
	}
	var head struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err == nil && head.Schema > Schema {
		return nil, refuse(Malformed, "The manifest has schema %d; this program reads %d. Update the program.", head.Schema, Schema)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	m := &Manifest{}
	if err := decoder.Decode(m); err != nil {
		return nil, refuseBecause(Malformed, err, "The manifest cannot be read.")
	}
	if decoder.InputOffset() != int64(len(data)) {
		return nil, refuse(Malformed, "Something follows the manifest's end.")
	}
	again, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, refuse(Malformed, "The manifest is not in its canonical form.")
	}
	return m, nil
}
