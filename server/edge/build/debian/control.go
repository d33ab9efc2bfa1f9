package debian

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxStanza bounds one stanza, and maxLine one line: a Packages file is foreign bytes.
const (
	maxStanza = 4 << 20
	maxLine   = 1 << 20
)

// Field is one field of a stanza, its value as written, with further lines.
type Field struct{ Name, Value string }

// Stanza is one paragraph of a control file, in its order.
type Stanza []Field

// Get finds a field's value; names have no case.
func (s Stanza) Get(name string) string {
	for _, f := range s {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// With replaces a field or adds it at the end.
func (s Stanza) With(name, value string) Stanza {
	for i, f := range s {
		if strings.EqualFold(f.Name, name) {
			s[i].Value = value
			return s
		}
	}
	return append(s, Field{Name: name, Value: value})
}

func (s Stanza) String() string {
	var b strings.Builder
	for _, f := range s {
		b.WriteString(f.Name)
		b.WriteByte(':')
		if f.Value != "" && f.Value[0] != '\n' {
			b.WriteByte(' ')
		}
		b.WriteString(f.Value)
		b.WriteByte('\n')
	}
	return b.String()
}

// EachStanza reads one stanza after the other. When wanted is not nil only those fields are
// kept: an archive's index has fifty megabytes of descriptions.
func EachStanza(r io.Reader, wanted map[string]bool, each func(Stanza) error) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(make([]byte, 64<<10), maxLine)
	var stanza Stanza
	size, number, skipping, any := 0, 0, false, false
	for scanner.Scan() {
		line := strings.TrimRight(scanner.Text(), " \t\r")
		number++
		if size += len(line); size > maxStanza {
			return fmt.Errorf("line %d: the paragraph is larger than %d MiB", number, maxStanza>>20)
		}
		switch {
		case line == "":
			if any {
				if err := each(stanza); err != nil {
					return err
				}
			}
			stanza, size, skipping, any = nil, 0, false, false
		case line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if !any {
				return fmt.Errorf("line %d: a further line with no field before it", number)
			}
			if !skipping {
				stanza[len(stanza)-1].Value += "\n" + line
			}
		default:
			name, value, found := strings.Cut(line, ":")
			if !found || name == "" || strings.ContainsAny(name, " \t") {
				return fmt.Errorf("line %d: not a field: %.60q", number, line)
			}
			any = true
			if skipping = wanted != nil && !wanted[name]; !skipping {
				stanza = append(stanza, Field{Name: strings.Clone(name), Value: strings.Clone(strings.TrimSpace(value))})
			}
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	if any {
		return each(stanza)
	}
	return nil
}

// OneStanza reads a file that holds one.
func OneStanza(text string) (Stanza, error) {
	var only Stanza
	seen := 0
	err := EachStanza(strings.NewReader(text), nil, func(s Stanza) error {
		only = s
		seen++
		return nil
	})
	if err == nil && seen != 1 {
		err = errors.New("there must be one paragraph")
	}
	return only, err
}
