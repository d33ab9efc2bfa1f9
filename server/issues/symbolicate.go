package issues

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
	"github.com/signalbox/signalbox/server/issues/sourcemap"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// symbolicate un-minifies the frames of JavaScript by the maps uploaded up to
// now, and says on each frame that it could not why. It works before grouping
// and never again: an issue would have to be grouped anew.
func (s *Service) symbolicate(ctx context.Context, project int64, e *sentry.Event) error {
	if e.Platform != "javascript" && e.Platform != "node" && len(e.DebugImages) == 0 {
		return nil
	}
	m := mapping{service: s, ctx: ctx, project: project, event: e, images: map[string]string{}, found: map[string]foundMap{}}
	for _, i := range e.DebugImages {
		if i.Type == "sourcemap" && i.CodeFile != "" {
			m.images[i.CodeFile] = i.DebugID
		}
	}
	if e.Platform == "node" && len(m.images) == 0 && e.Release == "" {
		return nil // a server's frames are readable as they are
	}
	for i := range e.Exceptions {
		if err := m.stack(e.Exceptions[i].Stack); err != nil {
			return err
		}
	}
	for i := range e.Threads {
		if err := m.stack(e.Threads[i].Stack); err != nil {
			return err
		}
	}
	return nil
}

// mapping is the work on one event.
type mapping struct {
	service *Service
	ctx     context.Context
	project int64
	event   *sentry.Event
	// images are debug ids by the address of the script.
	images map[string]string
	found  map[string]foundMap
}

// foundMap is a script's map, or why there is none.
type foundMap struct {
	m      *sourcemap.Map
	reason string
}

func (m *mapping) stack(stack *sentry.Stack) error {
	if stack == nil {
		return nil
	}
	for i := range stack.Frames {
		f := &stack.Frames[i]
		script := scriptOf(f)
		if script == "" || f.Platform != "" && f.Platform != "javascript" && f.Platform != "node" {
			continue
		}
		found, known := m.found[script]
		if !known {
			var err error
			if found, err = m.find(script); err != nil {
				return err
			}
			m.found[script] = found
		}
		if found.m == nil {
			if f.Context == "" {
				f.Unmapped = found.reason
			}
			continue
		}
		if ok, reason := found.m.Apply(f); !ok {
			f.Unmapped = reason
		}
	}
	return nil
}

// scriptOf is the address of a frame's file, "" for the engine's own.
func scriptOf(f *sentry.Frame) string {
	script := f.AbsPath
	if script == "" {
		script = f.Filename
	}
	for _, own := range []string{"node:", "internal/", "<", "native", "[native", "webpack-internal:", "chrome-extension:", "moz-extension:"} {
		if strings.HasPrefix(script, own) {
			return ""
		}
	}
	if f.Line == 0 || f.Minified != nil {
		return ""
	}
	return script
}

// find looks for a script's map: by debug id, else by release and address.
func (m *mapping) find(script string) (foundMap, error) {
	debugID := m.images[script]
	if debugID != "" {
		file, err := m.service.maps.lookup(fmt.Sprintf("%d\x00%s", m.project, debugID), func() (uploadedFile, error) {
			return m.service.rows().fileByDebugID(m.ctx, m.project, debugID, sourcemap.TypeSourceMap)
		})
		if err == nil {
			return m.load(file)
		}
		if !problem.Is(err, problem.NotFound) {
			return foundMap{}, err
		}
	}
	if m.event.Release == "" {
		if debugID != "" {
			return foundMap{reason: "No source map with the debug id " + debugID + " had been uploaded when the event came; one uploaded later is used for later events only."}, nil
		}
		return foundMap{reason: "The script carries no debug id and the event names no release, so no source map can be found for it."}, nil
	}
	file, err := m.service.maps.lookup(fmt.Sprintf("%d\x00%s\x00%s\x00%s", m.project, m.event.Release, m.event.Dist, script), func() (uploadedFile, error) {
		return m.byURL(script)
	})
	if problem.Is(err, problem.NotFound) {
		return foundMap{reason: problem.From(err).Detail}, nil
	}
	if err != nil {
		return foundMap{}, err
	}
	return m.load(file)
}

// byURL finds the script among a release's uploads, and then its map. NotFound says why not.
func (m *mapping) byURL(script string) (uploadedFile, error) {
	rows, release := m.service.rows(), m.event.Release
	list, err := rows.filesByURL(m.ctx, m.project, release, m.event.Dist, addresses(script))
	if err != nil {
		return uploadedFile{}, err
	}
	for _, f := range list {
		if f.Kind != sourcemap.TypeMinified {
			continue
		}
		reference, err := m.reference(f)
		if err != nil {
			return f, err
		}
		if reference == "" {
			return f, problem.New(problem.NotFound, "%s was uploaded for release %s, but it refers to no source map.", f.URL, release)
		}
		target, err := rows.fileOfBundle(m.ctx, f.ArtifactID, resolveURL(f.URL, reference))
		if problem.Is(err, problem.NotFound) {
			return f, problem.New(problem.NotFound, "%s refers to the source map %s, which was not uploaded for release %s.", f.URL, reference, release)
		}
		return target, err
	}
	n, err := rows.countUploads(m.ctx, m.project, release)
	if err != nil {
		return uploadedFile{}, err
	}
	if n == 0 {
		return uploadedFile{}, problem.New(problem.NotFound, "No source maps had been uploaded for release %s when the event came; later uploads are used for later events only.", release)
	}
	return uploadedFile{}, problem.New(problem.NotFound, "None of the files uploaded for release %s%s is %s.", release, distWords(m.event.Dist), addresses(script)[0])
}

func distWords(dist string) string {
	if dist == "" {
		return ""
	}
	return " and dist " + dist
}

// reference is where a script says that its map is: by the upload's header, else at its own end.
func (m *mapping) reference(f uploadedFile) (string, error) {
	if f.SourceMap != "" {
		return f.SourceMap, nil
	}
	raw, err := m.service.readBundled(m.ctx, f.TeamID, f.SHA256, f.Path)
	if err != nil {
		return "", err
	}
	reference, _ := sourcemap.References(raw)
	if strings.HasPrefix(reference, "data:") {
		return "", nil
	}
	return reference, nil
}

func (m *mapping) load(f uploadedFile) (foundMap, error) {
	read, err := m.service.maps.get(mapKey{f.ArtifactID, f.Path}, func() (*sourcemap.Map, error) {
		raw, err := m.service.readBundled(m.ctx, f.TeamID, f.SHA256, f.Path)
		if err != nil {
			return nil, err
		}
		if err := m.service.rows().touchArtifact(m.ctx, f.ArtifactID, m.service.millis()); err != nil {
			return nil, err
		}
		return sourcemap.Parse(raw)
	})
	var wrong *sourcemap.MalformedError
	switch {
	case errors.As(err, &wrong):
		return foundMap{reason: "The uploaded source map " + f.URL + " cannot be read: " + wrong.Reason + "."}, nil
	case errors.Is(err, sourcemap.ErrTooLarge):
		return foundMap{reason: "The uploaded source map " + f.URL + " is larger than allowed."}, nil
	}
	return foundMap{m: read}, err
}

// addresses are under what a script may have been uploaded: "~" stands for any host.
func addresses(script string) []string {
	u, err := url.Parse(script)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return []string{"~/" + strings.TrimLeft(script, "/"), script}
	}
	u.RawQuery, u.Fragment = "", ""
	return []string{"~" + path.Join("/", u.Path), u.String()}
}

// resolveURL applies a reference to the address of the file that makes it.
func resolveURL(from, reference string) string {
	if strings.HasPrefix(reference, "~") {
		return reference
	}
	rest, anyHost := strings.CutPrefix(from, "~")
	base, err := url.Parse(rest)
	if err != nil {
		return reference
	}
	r, err := url.Parse(reference)
	if err != nil {
		return reference
	}
	out := base.ResolveReference(r)
	if anyHost {
		return "~" + out.Path
	}
	return out.String()
}
