package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/plan"
)

// loadVar sets a local var. Its value is never in a row: after a restart the file is
// read again, which says nothing in the log a second time.
func (r *run) loadVar(ctx context.Context, p *plan.Plan, at position) (bool, error) {
	if row, found := r.row(p.ID); found && row.State == StateEnded && row.Outcome == Succeeded {
		name, value, reveal, err := r.readVar(r.base, p.LoadVar, at)
		if err != nil {
			return false, err
		}
		at.scope.setLocal(name, value, !reveal)
		return true, nil
	}
	row := StepRecord{Kind: KindLoadVar, Name: p.LoadVar.Name}
	return r.leaf(ctx, p, at, row, func(ctx context.Context, l *leaf) (bool, error) {
		l.emit(event.Initialize{Origin: l.origin(), Time: l.unix()})
		l.emit(event.Start{Origin: l.origin(), Time: l.unix()})
		name, value, reveal, err := l.readVar(ctx, p.LoadVar, at)
		if err != nil {
			return false, err
		}
		l.stdout().say("var %s fetched.", name)
		at.scope.setLocal(name, value, !reveal)
		l.stdout().say("added var %s to build.", name)
		l.finish(true)
		return true, nil
	})
}

// finish says how a step ended that is not get, put, task.
func (l *leaf) finish(ok bool) {
	l.flush()
	l.emit(event.Finish{Origin: l.origin(), Time: l.unix(), Succeeded: ok})
}

func (r *run) readVar(ctx context.Context, step *plan.LoadVar, at position) (name string, value any, reveal bool, err error) {
	var load plan.LoadVar
	if err := at.scope.interpolate(ctx, step, &load); err != nil {
		return "", nil, false, err
	}
	format, err := varFormat(load)
	if err != nil {
		return "", nil, false, err
	}
	artifactName, file, ok := strings.Cut(load.File, "/")
	if !ok {
		return "", nil, false, fmt.Errorf("file '%s' does not specify where the file lives", load.File)
	}
	data, err := r.readArtifact(ctx, at.scope, artifactName, file)
	if err != nil {
		return "", nil, false, err
	}
	value, err = parseVar(data, format)
	if err != nil {
		return "", nil, false, fmt.Errorf("failed to parse %s in format %s: %w", load.File, format, err)
	}
	return load.Name, value, load.Reveal, nil
}

// readArtifact reads a file of an artifact, with Concourse's words for what is missing.
func (r *run) readArtifact(ctx context.Context, s *scope, name, file string) ([]byte, error) {
	found, ok := s.artifact(name)
	if !ok {
		return nil, fmt.Errorf("unknown artifact source: '%s' in file path '%s'", name, file)
	}
	data, err := r.Executor.ReadFile(ctx, found.Volume, file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file '%s' not found within artifact '%s'", file, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read file '%s' of artifact '%s': %w", file, name, err)
	}
	return data, nil
}

func varFormat(load plan.LoadVar) (string, error) {
	known := map[string]bool{"raw": true, "trim": true, "yml": true, "yaml": true, "json": true}
	if load.Format != "" {
		if !known[load.Format] {
			return "", fmt.Errorf("invalid format %s", load.Format)
		}
		return load.Format, nil
	}
	if extension := strings.TrimPrefix(path.Ext(load.File), "."); known[extension] {
		return extension, nil
	}
	return "trim", nil
}

// parseYAML decodes by way of JSON: maps have text keys, and numbers stay as written.
func parseYAML(data []byte, out any) error {
	encoded, err := yaml.YAMLToJSON(data)
	if err != nil {
		return err
	}
	return decodeNumbers(encoded, out)
}

func parseVar(data []byte, format string) (any, error) {
	var value any
	switch format {
	case "json":
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		if decoder.More() {
			return nil, errors.New("invalid json: characters found after top-level value")
		}
		return value, nil
	case "yml", "yaml":
		err := parseYAML(data, &value)
		return value, err
	case "raw":
		return string(data), nil
	}
	return strings.TrimSpace(string(data)), nil
}
