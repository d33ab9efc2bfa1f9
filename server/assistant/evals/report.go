package evals

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"time"

	"gopkg.in/yaml.v3"
)

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"pretty": pretty}).Parse(reportPage))

// Report is a page of its own with every question, what was wrong, and the traces.
func Report(results []Result, at time.Time) []byte {
	page := struct {
		At             string
		Passed, Failed int
		Results        []Result
	}{At: at.UTC().Format(time.RFC3339), Results: results}
	for _, r := range results {
		if r.Passed() {
			page.Passed++
		} else {
			page.Failed++
		}
	}
	var out bytes.Buffer
	if err := reportTemplate.Execute(&out, page); err != nil {
		panic(err) // our own template over our own types
	}
	return out.Bytes()
}

// pretty indents JSON; anything else stays as it is, cut where it is long.
func pretty(text any) string {
	raw, ok := text.(json.RawMessage)
	if s, isText := text.(string); isText {
		raw, ok = json.RawMessage(s), true
	}
	const most = 8 << 10
	var out bytes.Buffer
	if !ok || json.Indent(&out, raw, "", "  ") != nil {
		out.Reset()
		out.Write(raw)
	}
	if out.Len() > most {
		out.Truncate(most)
		out.WriteString("\n…")
	}
	return out.String()
}

// WriteCassette is a recorded cassette as a case file has it.
func WriteCassette(turns []Turn) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	err := e.Encode(map[string]any{"cassette": turns})
	return out.Bytes(), err
}

// WithoutWorld leaves out the cases that only the made-up world can ask: faults and cassettes.
func WithoutWorld(cases []Case) []Case {
	var out []Case
	for _, c := range cases {
		if len(c.Faults) == 0 && len(c.Cassette) == 0 {
			out = append(out, c)
		}
	}
	return out
}
