package evals

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Case is one question with what its run must show.
type Case struct {
	Name string `yaml:"name"`
	// Ask are phrasings of the question; each is asked by itself.
	Ask []string `yaml:"ask"`
	// Then is asked on in the conversation that the first phrasing began.
	Then []Case `yaml:"then,omitempty"`
	// Planner is plan, or model when a cassette is there.
	Planner string `yaml:"planner,omitempty"`
	// Cassette plays the model.
	Cassette []Turn `yaml:"cassette,omitempty"`
	// Faults are what goes wrong, by tool: error, timeout, empty, truncated, 429, malformed.
	Faults map[string]string `yaml:"faults,omitempty"`
	// Zone is the asker's, Repository the one of the channel or page.
	Zone       string `yaml:"zone,omitempty"`
	Repository string `yaml:"repository,omitempty"`
	Expect     Expect `yaml:"expect"`
	// File is where it was read.
	File string `yaml:"-"`
}

// Expect is what a run must show.
type Expect struct {
	// Status is answered when empty.
	Status string `yaml:"status,omitempty"`
	// Called are invocations, each of which must have succeeded; none at all with Untouched.
	Called    []Invocation `yaml:"called,omitempty"`
	Untouched bool         `yaml:"untouched,omitempty"`
	// Contains and Lacks are the contract: facts that the answer states, and such that it must not.
	Contains []Fact    `yaml:"contains,omitempty"`
	Lacks    []Fact    `yaml:"lacks,omitempty"`
	Equal    []Equal   `yaml:"equal,omitempty"`
	Order    []Order   `yaml:"order,omitempty"`
	Boundary *Boundary `yaml:"boundary,omitempty"`
	// Failed are tools that must have failed, and whose failure the answer tells.
	Failed []string `yaml:"failed,omitempty"`
	// Unverified allows facts that no tool has said; they must then be marked.
	Unverified []string `yaml:"unverified,omitempty"`
}

// Invocation is a call that must be there.
type Invocation struct {
	// Tool may name alternatives: a|b.
	Tool string `yaml:"tool"`
	// Args must be among the arguments; texts may be /patterns/.
	Args map[string]any `yaml:"args,omitempty"`
	// Result must stand in the result.
	Result Fact `yaml:"result,omitempty"`
	// Times is how often, when it is not just at least once.
	Times int `yaml:"times,omitempty"`
}

// Fact is a text or /pattern/; several are alternatives.
type Fact []string

// UnmarshalYAML reads one text or a list of alternatives.
func (f *Fact) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*f = Fact{node.Value}
		return nil
	}
	var list []string
	err := node.Decode(&list)
	*f = list
	return err
}

// Equal holds a number of the answer against a field of a result.
type Equal struct {
	// Answer is a pattern whose first group is the number; Tool and Field say where it comes from: items.0.number.
	Answer string `yaml:"answer"`
	Tool   string `yaml:"tool"`
	Field  string `yaml:"field"`
}

// Order is a call that comes before another one.
type Order struct {
	First string `yaml:"first"`
	Then  string `yaml:"then"`
	// Carries is an argument of Then whose value must stand in a result of First.
	Carries string `yaml:"carries,omitempty"`
}

// Boundary is what a run may not leave.
type Boundary struct {
	Tools        []string `yaml:"tools,omitempty"`
	Repositories []string `yaml:"repositories,omitempty"`
	// Calls and Tokens are the most.
	Calls  int   `yaml:"calls,omitempty"`
	Tokens int64 `yaml:"tokens,omitempty"`
}

//go:embed cases/*.yaml
var shipped embed.FS

// Shipped are the cases that come with the product: the questions about acme.
func Shipped() ([]Case, error) {
	sub, err := fs.Sub(shipped, "cases")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(sub, "*.yaml")
	if err != nil {
		return nil, err
	}
	var out []Case
	for _, name := range names {
		raw, err := fs.ReadFile(sub, name)
		if err != nil {
			return nil, err
		}
		list, err := parse(raw, name)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// Load reads cases from files and folders.
func Load(paths ...string) ([]Case, error) {
	var out []Case
	for _, path := range paths {
		files := []string{path}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			files, err = filepath.Glob(filepath.Join(path, "*.y*ml"))
			if err != nil {
				return nil, err
			}
			slices.Sort(files)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file) //nolint:gosec // the caller's own files
			if err != nil {
				return nil, err
			}
			list, err := parse(raw, file)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	return out, nil
}

func parse(raw []byte, file string) ([]Case, error) {
	var list []Case
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true) // a misspelt expectation would pass for ever
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range list {
		list[i].File = file
		if err := list[i].validate(); err != nil {
			return nil, fmt.Errorf("%s, case %d %q: %w", file, i+1, list[i].Name, err)
		}
	}
	return list, nil
}

// validate finds cases that would say nothing.
func (c *Case) validate() error {
	e := c.Expect
	switch {
	case len(c.Ask) == 0:
		return errors.New("it asks nothing")
	case len(e.Called)+len(e.Contains)+len(e.Failed) == 0 && !e.Untouched:
		return errors.New("it expects neither calls, nor facts, nor a failure: it could not fail")
	case e.Untouched && len(e.Called) > 0:
		return errors.New("it expects calls and none at all")
	case c.Planner != "" && c.Planner != "plan" && c.Planner != "model":
		return fmt.Errorf("planner is %q: give plan or model", c.Planner)
	case c.Planner == "model" && len(c.Cassette) == 0:
		c.Planner = "live"
	}
	for tool, fault := range c.Faults {
		if !slices.Contains(faults, fault) {
			return fmt.Errorf("fault %q of %s is none of %s", fault, tool, strings.Join(faults, ", "))
		}
	}
	for i := range c.Then {
		c.Then[i].File = c.File
		if err := c.Then[i].validate(); err != nil {
			return fmt.Errorf("then %d: %w", i+1, err)
		}
	}
	return nil
}

var faults = []string{"error", "timeout", "empty", "truncated", "429", "malformed"}
