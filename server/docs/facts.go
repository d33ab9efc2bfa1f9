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
	Events   []Event
	Tools    []Tool
	Exits    []Exit
	// OpenAPI is the description of our own API, as YAML; nil where the program does not carry it.
	OpenAPI []byte
}

// Event is something that people can be told of.
type Event struct{ Name, Capability, When string }

// Command is one command of the command line.
type Command struct {
	// Use is how it is called: "signalbox token create [flags]".
	Use, Short, Long string
	// Flags are listed as --help lists them.
	Flags string
}

// Route is something the server answers.
type Route struct {
	Method, Path string
	// Access says who may call it, Why what stands in for a caller where anybody may.
	Access, Why string
}

// Metric is one that /metrics shows.
type Metric struct {
	Name, Help string
	Labels     []string
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

func (f Facts) chapters() ([]chapter, error) {
	api, err := f.api()
	if err != nil {
		return nil, err
	}
	list := []chapter{{"configuration", f.configuration()}, {"commands", f.commands()}}
	list = append(list, api...)
	return append(list, chapter{"protocols", f.protocols()}, chapter{"events", f.events()}, chapter{"tools", f.tools()}, chapter{"metrics", f.metrics()},
		chapter{"agent", f.agent()}), nil
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
