package docs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox/signalbox/server/platform/config"
)

// Facts are what the reference is made of; app reads them off the wired server.
type Facts struct {
	Commands []Command
	Routes   []Route
	Metrics  []Metric
	Events   []string
	Tools    []Tool
	Exits    []Exit
}

// Command is one command of the command line.
type Command struct {
	// Use is how it is called: "signalbox token create [flags]".
	Use, Short, Long string
	Flags            []Flag
}

// Flag is one of a command's.
type Flag struct{ Name, Type, Default, Meaning string }

// Route is something the server answers.
type Route struct {
	Method, Path string
	// Access says who may call it.
	Access string
}

// Metric is one that /metrics shows.
type Metric struct {
	Name, Kind, Help string
	Labels           []string
}

// Tool is one that assistant and MCP clients may call.
type Tool struct {
	Name, Class, Scope, Description string
	// In are its arguments: "team (string, needed)".
	In []string
}

// Exit is a code with which the agent ends.
type Exit struct {
	Code    int
	Meaning string
}

// chapter is a page of the reference before it is rendered.
type chapter struct{ name, markdown string }

func (f Facts) chapters() []chapter {
	return []chapter{
		{"configuration", f.configuration()},
	}
}

// cell makes text fit into a table.
func cell(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("|", "\\|", "<", "\\<", "*", "\\*", "_", "\\_").Replace(text)
}

// tick marks text as code inside a table.
func tick(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", "\\|") + "`"
}

func (Facts) configuration() string {
	var b strings.Builder
	b.WriteString("# Configuration keys\n\nEvery key, read from the program that serves this page. A key stands in the file that `--config` names (YAML, a section per part), " +
		"or in the environment, which wins. `signalbox config` prints the same table.\n")
	sections := []string{}
	for _, k := range config.Keys {
		section, _, _ := strings.Cut(k.Name, ".")
		if !slices.Contains(sections, section) {
			sections = append(sections, section)
		}
	}
	for _, section := range sections {
		fmt.Fprintf(&b, "\n## %s\n\n| Key | Default | Meaning |\n|---|---|---|\n", section)
		for _, k := range config.Keys {
			if !strings.HasPrefix(k.Name, section+".") {
				continue
			}
			value := fmt.Sprint(k.Default)
			if list, isList := k.Default.([]string); isList {
				value = strings.Join(list, ",")
			}
			fmt.Fprintf(&b, "| `%s` `%s` | %s | %s |\n", k.Name, config.EnvName(k.Name), tick(value), cell(k.Meaning))
		}
	}
	return b.String()
}
