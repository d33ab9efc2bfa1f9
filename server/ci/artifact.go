package ci

import (
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

// What a build leaves behind: once its steps have ended, the files that its job names
// below `signalbox` are read out of the build's outputs: test reports into rows,
// artifacts into blobs, lists of components into rows. All of it is bounded, and what
// cannot be kept becomes a line on the build; it never changes how the build ended.
//
// The rules are those of the pipeline at the moment the steps have ended. Builds that
// were aborted are not looked through: whoever stops a build wants it to be over.

// use is what a file is read for.
type use string

const (
	useReport   use = "test_reports"
	useArtifact use = "artifacts"
	useSBOM     use = "sbom"
)

// keepDocuments is how long lists of components can be downloaded as they were; their
// rules do not say.
const keepDocuments = 30 * 24 * time.Hour

// outputRule names files of one output.
type outputRule struct {
	Use use
	// Path is the rule as it was written; Output is its first element, Glob the others.
	Path   string
	Output string
	Glob   []string
	// Keep is how long the file can be downloaded.
	Keep time.Duration
}

func (r outputRule) key() string { return string(r.Use) + " " + r.Path }

func newOutputRule(u use, rule string, keep time.Duration) (outputRule, error) {
	clean := path.Clean(rule)
	output, rest, ok := strings.Cut(clean, "/")
	if !ok || output == ".." || output == "." || output == "" {
		return outputRule{}, fmt.Errorf("%s: %q names no file within an output, as \"results/**/*.xml\" does", u, rule)
	}
	out := outputRule{Use: u, Path: rule, Output: output, Glob: strings.Split(rest, "/"), Keep: keep}
	for _, element := range out.Glob {
		if _, err := path.Match(element, ""); err != nil || element == ".." {
			return outputRule{}, fmt.Errorf("%s: %q is no pattern", u, rule)
		}
	}
	return out, nil
}

// outputRules reads a job's extension; what it cannot read is said.
func outputRules(job pipeline.JobExtension) (rules []outputRule, problems []string) {
	add := func(u use, path string, keep time.Duration) {
		r, err := newOutputRule(u, path, keep)
		if err != nil {
			problems = append(problems, err.Error()+".")
			return
		}
		rules = append(rules, r)
	}
	for _, path := range job.TestReports {
		add(useReport, path, 0)
	}
	for _, a := range job.Artifacts {
		add(useArtifact, a.Path, a.Keep)
	}
	for _, path := range job.SBOM {
		add(useSBOM, path, keepDocuments)
	}
	return rules, problems
}

// folder is the part of the pattern without wildcards, where the search begins.
func (r outputRule) folder() string {
	n := 0
	for n < len(r.Glob)-1 && !strings.ContainsAny(r.Glob[n], `*?[\`) {
		n++
	}
	return strings.Join(r.Glob[:n], "/")
}

// matches reports whether the rule names the file, whose path is within the output.
func (r outputRule) matches(name string) bool {
	return matchGlob(r.Glob, strings.Split(name, "/"))
}

// matchGlob matches elements; "**" stands for any number of them. It goes back to the
// last "**" only, so that its time is bounded by the product of both lengths.
func matchGlob(glob, name []string) bool {
	g, n := 0, 0
	star, from := -1, 0
	for n < len(name) {
		if g < len(glob) && glob[g] == "**" {
			star, from = g, n
			g++
			continue
		}
		if g < len(glob) {
			if ok, err := path.Match(glob[g], name[n]); err == nil && ok {
				g, n = g+1, n+1
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		g, n = star+1, from
	}
	for g < len(glob) && glob[g] == "**" {
		g++
	}
	return g == len(glob)
}

// sharedFolder is the deepest folder that holds everything the rules may name.
func sharedFolder(rules []outputRule) string {
	shared := strings.Split(rules[0].folder(), "/")
	for _, r := range rules[1:] {
		other := strings.Split(r.folder(), "/")
		n := 0
		for n < len(shared) && n < len(other) && shared[n] == other[n] {
			n++
		}
		shared = shared[:n]
	}
	if folder := strings.Join(shared, "/"); folder != "" {
		return folder
	}
	return "."
}

// maxPath bounds the path of a kept file.
const maxPath = 1 << 10

// showable refuses names that no page and no header could show as they are.
func showable(name string) bool {
	return len(name) <= maxPath && utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// printable makes one bounded line of any text.
func printable(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}
