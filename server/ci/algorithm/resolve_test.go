package algorithm

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// story is one line of testdata/cases.txt.
type story struct {
	memory Memory
	inputs []Input
	names  map[string]int64
	orders map[string]Order
}

func (s *story) id(name string) int64 {
	if s.names == nil {
		s.names = map[string]int64{}
	}
	if s.names[name] == 0 {
		// Names of one letter keep their order, as jobs are ordered by id.
		s.names[name] = int64(name[0])
	}
	return s.names[name]
}

// output reads x12 as version 12 of resource x.
func (s *story) output(t *testing.T, token string) Output {
	t.Helper()
	version, err := strconv.ParseInt(token[1:], 10, 64)
	if err != nil {
		t.Fatalf("version %q", token)
	}
	return Output{Resource: s.id(token[:1]), Version: version}
}

func (s *story) statement(t *testing.T, text string) {
	t.Helper()
	words := strings.Fields(text)
	if len(words) == 0 {
		return
	}
	switch {
	case words[0] == "v":
		for _, word := range words[1:] {
			out := s.output(t, strings.TrimPrefix(word, "-"))
			s.memory.AddVersion(out.Resource, out.Version)
			if word[0] == '-' {
				s.memory.Disable(out.Resource, out.Version)
			}
		}
	case words[0] == "in":
		s.input(t, words[1:])
	case strings.HasPrefix(words[0], "own#"):
		s.own(t, words)
	default:
		s.build(t, words)
	}
}

func (s *story) order(t *testing.T, name string) Order {
	t.Helper()
	_, number, _ := strings.Cut(name, "#")
	number, original, rerun := strings.Cut(number, "~")
	id, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		t.Fatalf("build %q", name)
	}
	order := Order{Original: id, ID: id}
	if rerun {
		if order.Original, err = strconv.ParseInt(original, 10, 64); err != nil {
			t.Fatalf("build %q", name)
		}
	}
	return order
}

func (s *story) build(t *testing.T, words []string) {
	t.Helper()
	build := Build{Order: s.order(t, words[0])}
	for _, word := range words[1:] {
		out := s.output(t, strings.TrimPrefix(word, "?"))
		if word[0] != '?' {
			s.memory.AddVersion(out.Resource, out.Version)
		}
		build.Outputs = append(build.Outputs, out)
	}
	s.memory.AddBuild(s.id(words[0][:1]), build)
}

func (s *story) own(t *testing.T, words []string) {
	t.Helper()
	var taken []Taken
	passed := map[int64]Order{}
	upstream := false
	for _, word := range words[1:] {
		if word == "<" {
			upstream = true
			continue
		}
		if upstream {
			passed[s.id(word[:1])] = s.order(t, word)
			continue
		}
		name, token, named := strings.Cut(word, "=")
		if !named {
			token = strings.TrimPrefix(word, "?")
			name = token[:1]
		}
		out := s.output(t, token)
		taken = append(taken, Taken{Input: name, Resource: out.Resource, Version: out.Version})
	}
	s.memory.AddOwnBuild(s.order(t, words[0]), taken, passed)
}

func (s *story) input(t *testing.T, words []string) {
	t.Helper()
	name, resource, named := strings.Cut(words[0], "=")
	if !named {
		resource = name
	}
	in := Input{Name: name, Resource: s.id(resource)}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "passed":
			for _, job := range strings.Split(value, ",") {
				in.Passed = append(in.Passed, s.id(job))
			}
		case "every":
			in.Every = true
		case "trig":
			in.Trigger = true
		case "pin":
			in.Pin = &Pin{Label: Label(map[string]string{"ver": value, "a": "b"})}
			if value != "none" {
				in.Pin.Version = s.output(t, value).Version
			}
		default:
			t.Fatalf("input word %q", word)
		}
	}
	s.inputs = append(s.inputs, in)
}

var reasons = map[string]string{
	"latest": ReasonNoLatest, "version": ReasonNoVersion, "builds": ReasonNoBuilds,
	"pin": "pinned version a:b ver:none not found",
}

// check compares a resolution with the words of a story.
func (s *story) check(t *testing.T, got Resolution, words []string) {
	t.Helper()
	failed := false
	for _, word := range words {
		switch word {
		case "more", "done":
			if got.HasNext != (word == "more") {
				t.Errorf("HasNext is %t", got.HasNext)
			}
			continue
		case "start", "idle":
			if got.Triggers(s.inputs) != (word == "start") {
				t.Errorf("Triggers is not %s", word)
			}
			continue
		}
		if name, reason, ok := strings.Cut(word, ":"); ok {
			failed = true
			if got.Errors[name] != reasons[reason] {
				t.Errorf("%s failed with %q, want %q", name, got.Errors[name], reasons[reason])
			}
			continue
		}
		name, want, _ := strings.Cut(word, "=")
		choice, found := got.Inputs[name]
		if !found || !matches(choice, want) {
			t.Errorf("%s is %+v %q, want %s", name, choice, got.Errors[name], want)
		}
	}
	if got.OK() == failed {
		t.Errorf("OK is %t, errors %v", got.OK(), got.Errors)
	}
	if len(got.Inputs)+len(got.Errors) != len(s.inputs) {
		t.Errorf("%d inputs and %d errors for %d inputs", len(got.Inputs), len(got.Errors), len(s.inputs))
	}
}

func matches(choice Choice, want string) bool {
	if first, ok := strings.CutSuffix(want, "*"); ok {
		return choice.First && matches(choice, first)
	}
	if seen, ok := strings.CutSuffix(want, "-"); ok {
		return !choice.First && matches(choice, seen)
	}
	version, builds, withBuilds := strings.Cut(want, "@")
	if strconv.FormatInt(choice.Version, 10) != version {
		return false
	}
	ids := slices.Sorted(slices.Values(choice.PassedBuilds))
	return !withBuilds || strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", ",") == builds
}

func TestCases(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, line := range strings.Split(string(data), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		count++
		name, rest, _ := strings.Cut(line, " | ")
		statements, expectations, ok := strings.Cut(rest, "=> ")
		if !ok {
			t.Fatalf("no expectation: %s", line)
		}
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			var s story
			for _, statement := range strings.Split(statements, ";") {
				s.statement(t, statement)
			}
			got, err := Resolve(context.Background(), &s.memory, s.inputs)
			if err != nil {
				t.Fatal(err)
			}
			s.check(t, got, strings.Fields(expectations))
		})
	}
	if count < 100 {
		t.Errorf("only %d cases", count)
	}
}
