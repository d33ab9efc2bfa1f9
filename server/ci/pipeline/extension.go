package pipeline

import (
	"encoding/json"
	"time"
)

// Extension is the top-level key `signalbox`, which holds what Concourse does not
// know. Concourse and fly ignore unknown top-level keys, so the same file serves both.
//
// fly drops such keys before it compares: with the key in the file, every
// set-pipeline shows a var source signalbox as removed, and applying it keeps the
// key. Written as that var source ({name: signalbox, type: dummy, config: {vars:
// {jobs: …}}}), which is what get-pipeline prints, fly compares and checks it truly.
type Extension struct {
	Jobs map[string]JobExtension `json:"jobs,omitempty"`

	// problems are mistakes in the source, each with its path, for Validate.
	problems []string
}

// JobExtension is what Extension adds to one job.
type JobExtension struct {
	// Inputs are asked on a manual run and found as ((input:name)).
	Inputs []Input `json:"inputs,omitempty"`
	// CancelSuperseded aborts older builds when a newer one is made.
	CancelSuperseded bool `json:"cancel_superseded,omitempty"`
	// TestReports are globs of JUnit files below an artifact of the build.
	TestReports []string `json:"test_reports,omitempty"`
	// Artifacts are kept for download.
	Artifacts []ArtifactRule `json:"artifacts,omitempty"`
	// SBOM are globs of CycloneDX files below an artifact of the build.
	SBOM []string `json:"sbom,omitempty"`
}

// Input is one typed question of the form that starts a build.
type Input struct {
	Name        string    `json:"name"`
	Type        InputType `json:"type"`
	Description string    `json:"description,omitempty"`
	Required    bool      `json:"required,omitempty"`
	// Default is a string, or a bool for InputBool; nil is none.
	Default any `json:"default,omitempty"`
	// Options are the values of InputChoice.
	Options []string `json:"options,omitempty"`
	// Pattern is a regular expression that the text must match.
	Pattern string `json:"pattern,omitempty"`
}

// InputType says what an Input takes; the words are those of the pipeline.
type InputType string

// The types of inputs.
const (
	InputString InputType = "string"
	InputChoice InputType = "choice"
	InputBool   InputType = "bool"
	// InputSecret is kept sealed and never shown again.
	InputSecret InputType = "secret"
)

// InputSource is the name of the var source that finds inputs.
const InputSource = "input"

// defaultKeep is how long artifacts stay when the rule does not say.
const defaultKeep = 30 * 24 * time.Hour

// ArtifactRule keeps the files that match Path for download. The first element of
// Path is the name of an artifact of the build, the rest a glob within it.
type ArtifactRule struct {
	Path string
	Keep time.Duration
}

// MarshalJSON writes what the reader of extensions accepts.
func (a ArtifactRule) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Path string `json:"path"`
		Keep string `json:"keep"`
	}{a.Path, a.Keep.String()})
}

// UnmarshalJSON reads the section. It never fails: what is wrong is kept for
// Validate, so that an author sees all of it at once and with its place.
func (e *Extension) UnmarshalJSON(data []byte) error {
	r := extensionReader{}
	*e = r.extension("signalbox", data)
	e.problems = r.problems
	return nil
}

// JobExtension is what the pipeline's extension says of a job; the zero value when nothing.
func (c Config) JobExtension(job string) JobExtension {
	if c.Signalbox == nil {
		return JobExtension{}
	}
	return c.Signalbox.Jobs[job]
}
