package app

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/agents/protocol"
	"github.com/signalbox/signalbox/server/docs"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/tools"
	"github.com/signalbox/signalbox/web"
)

// OpenAPI is the description of our own API. Main sets it: it lies beside main, where only main can embed it.
var OpenAPI []byte

var stylesheet = regexp.MustCompile(`<link rel="stylesheet"[^>]* href="([^"]+)"`)

// docsRoutes serves the manual, in the clothes of the user interface.
func (a *App) docsRoutes(r api.Router) error {
	files, err := web.Files()
	if err != nil {
		return err
	}
	var styles []string
	// Without a built user interface the manual is plain, and still there.
	if index, err := fs.ReadFile(files, "index.html"); err == nil {
		for _, m := range stylesheet.FindAllSubmatch(index, -1) {
			styles = append(styles, string(m[1]))
		}
	}
	a.manual = docs.New(docs.Deps{Address: a.PublicURL, Facts: a.facts, Stylesheets: styles, Version: Version})
	a.manual.Routes(r)
	return nil
}

// facts are what the manual's reference is made of; all is wired when the first page is asked for.
func (a *App) facts() docs.Facts {
	f := docs.Facts{Commands: commandsOf((&cli{}).root()), Metrics: a.metricsOf(), OpenAPI: OpenAPI}
	for _, r := range a.table.Routes {
		f.Routes = append(f.Routes, docs.Route{Method: r.Method, Path: r.Path, Access: accessInWords(r.Access), Why: r.Access.Why})
	}
	for _, o := range occasions {
		f.Events = append(f.Events, docs.Event{Name: string(o.Event), Capability: o.Capability, When: o.When})
	}
	f.Events = append(f.Events, docs.Event{Name: string(alertEvent), When: "an alert rule of errors fires"}, docs.Event{Name: string(logAlertEvent), When: "an alert about log lines fires"},
		docs.Event{Name: string(ruleEvent), When: "GitHub tells of something that a rule names"})
	// Whoever may everything sees every tool.
	for _, t := range a.tools.List(identity.Caller{UserID: 1, Admin: true, Roles: map[int64]identity.Role{1: identity.Owner}}) {
		f.Tools = append(f.Tools, docs.Tool{Name: t.Name, Class: string(t.Class), Scope: t.Scope.String(), Description: t.Description, In: argumentsOf(t.In)})
	}
	for code := protocol.ExitOK; code.Valid(); code++ {
		f.Exits = append(f.Exits, docs.Exit{Code: int(code), Meaning: code.String()})
	}
	return f
}

func accessInWords(access api.Access) string {
	switch access.Kind {
	case api.KindPublic:
		return "anybody"
	case api.KindSignedIn:
		return "whoever is signed in"
	case api.KindAdmin:
		return "administrators"
	case api.KindScoped:
		return "needs " + access.Scope.String()
	}
	return "its own proof"
}

// commandsOf lists a command and those below it, without what cobra adds.
func commandsOf(c *cobra.Command) []docs.Command {
	var list []docs.Command
	if c.Name() == "help" || c.Name() == "completion" || c.Hidden {
		return nil
	}
	if c.Runnable() || !c.HasParent() {
		flags := c.LocalNonPersistentFlags()
		if !c.HasParent() {
			flags = c.PersistentFlags()
		}
		usages := strings.Split(flags.FlagUsages(), "\n")
		usages = slices.DeleteFunc(usages, func(line string) bool { return strings.Contains(line, " --help ") })
		list = append(list, docs.Command{Use: c.UseLine(), Short: c.Short, Long: c.Long, Flags: strings.Join(usages, "\n")})
	}
	for _, child := range c.Commands() {
		list = append(list, commandsOf(child)...)
	}
	return list
}

// described reads what a metric's description says of itself: the library shows it only as text.
var described = regexp.MustCompile(`^Desc\{fqName: "(.*)", help: "(.*)", constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

// metricsOf lists what is registered under our own name, by name.
func (a *App) metricsOf() []docs.Metric {
	descs := make(chan *prometheus.Desc)
	go func() {
		a.registry.Describe(descs)
		close(descs)
	}()
	var list []docs.Metric
	for desc := range descs {
		if m := described.FindStringSubmatch(desc.String()); m != nil && strings.HasPrefix(m[1], "signalbox_") {
			list = append(list, docs.Metric{Name: m[1], Help: strings.ReplaceAll(m[2], `\"`, `"`), Labels: strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' || r == ' ' })})
		}
	}
	slices.SortFunc(list, func(x, y docs.Metric) int { return strings.Compare(x.Name, y.Name) })
	return list
}

// argumentsOf says what a tool takes, what it needs first.
func argumentsOf(in *tools.Schema) []string {
	var needed, rest []string
	for name, s := range in.Properties {
		text := fmt.Sprintf("`%s` (%s)", name, s.Type)
		if slices.Contains(in.Required, name) {
			needed = append(needed, fmt.Sprintf("`%s` (%s, needed)", name, s.Type))
		} else {
			rest = append(rest, text)
		}
	}
	slices.Sort(needed)
	slices.Sort(rest)
	return append(needed, rest...)
}
