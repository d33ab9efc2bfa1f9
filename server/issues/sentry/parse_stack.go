package sentry

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// values calls each for every element of a list that comes as an array, as
// {"values": […]}, as null, or as a single object. Missing elements (null) are
// passed over.
func (r *reader) values(each func()) {
	switch r.peek() {
	case '[':
		r.open('[')
		for r.elem() {
			if r.peek() == '{' {
				each()
			} else {
				r.skip()
			}
		}
	case '{':
		if !r.wrapped() {
			each()
			return
		}
		r.open('{')
		for r.key() {
			if r.k == "values" {
				r.values(each)
			} else {
				r.skip()
			}
		}
	default:
		r.skip()
	}
}

// wrapped looks ahead: does the object at the cursor have a list "values"?
func (r *reader) wrapped() bool {
	ahead := *r
	ahead.open('{')
	for ahead.key() {
		if ahead.k == "values" {
			c := ahead.peek()
			return c == '[' || c == 'n' || c == '{'
		}
		ahead.skip()
	}
	return false
}

func (r *reader) exceptions() []Exception {
	var out []Exception
	r.values(func() {
		x := r.exception()
		if x.Type == "" && x.Value == "" && x.Stack == nil {
			return
		}
		if len(out) >= maxExceptions {
			// The last one was thrown: the oldest causes give way.
			copy(out, out[1:])
			out = out[:maxExceptions-1]
			r.trimmed = true
		}
		out = append(out, x)
	})
	return out
}

func (r *reader) exception() Exception {
	var x Exception
	r.open('{')
	for r.key() {
		switch r.k {
		case "type":
			x.Type = r.short()
		case "value":
			x.Value = r.text(maxValue)
		case "module":
			x.Module = r.short()
		case "thread_id":
			x.ThreadID = r.text(64)
		case "mechanism":
			x.Mechanism = r.mechanism()
		case "stacktrace":
			x.Stack = r.stack()
		case "raw_stacktrace":
			x.RawStack = r.stack()
		default:
			r.skip()
		}
	}
	if x.Type == "" && x.Value != "" && x.Stack == nil {
		// "TypeError: x is null" of old clients.
		if t, v, ok := strings.Cut(x.Value, ": "); ok && isName(t) {
			x.Type, x.Value = t, v
		}
	}
	return x
}

// isName says whether s looks like the name of an exception class.
func isName(s string) bool {
	if s == "" || len(s) > 80 {
		return false
	}
	for _, c := range s {
		if !(c == '_' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return strings.HasSuffix(s, "Error") || strings.HasSuffix(s, "Exception")
}

func (r *reader) mechanism() *Mechanism {
	if r.peek() != '{' {
		if s := r.short(); s != "" {
			return &Mechanism{Type: s}
		}
		return nil
	}
	m := &Mechanism{}
	r.open('{')
	for r.key() {
		switch r.k {
		case "type":
			m.Type = r.short()
		case "handled":
			m.Handled = r.boolean()
		case "synthetic":
			m.Synthetic = r.truth()
		case "source":
			m.Source = r.short()
		case "description":
			m.Description = r.short()
		case "help_link":
			m.HelpLink = r.short()
		case "exception_id":
			m.ExceptionID = r.index()
		case "parent_id":
			m.ParentID = r.index()
		case "is_exception_group":
			m.IsGroup = r.truth()
		case "data", "meta":
			if d := r.object(maxContext); d != nil {
				m.Data = d
			}
		default:
			r.skip()
		}
	}
	return m
}

// index reads a small number, or nothing.
func (r *reader) index() *int {
	v := r.number()
	if v != v || v < 0 || v > 1<<20 {
		return nil
	}
	n := int(v)
	return &n
}

// stack reads {"frames": […]}; nil when there is no frame.
func (r *reader) stack() *Stack {
	if !r.open('{') {
		return nil
	}
	var s Stack
	for r.key() {
		if r.k == "frames" {
			r.frames(&s)
		} else {
			r.skip()
		}
	}
	if len(s.Frames) == 0 {
		return nil
	}
	return &s
}

// frames keeps the first and the last half of maxFrames: what is in the middle
// of an endless recursion says nothing.
func (r *reader) frames(s *Stack) {
	const half = maxFrames / 2
	if !r.open('[') {
		return
	}
	s.Frames = nil
	if n := r.countAhead(); n > 0 {
		s.Frames = make([]Frame, 0, min(n, maxFrames))
	}
	for r.elem() {
		if r.peek() != '{' {
			r.skip()
			continue
		}
		f := r.frame()
		if len(s.Frames) < maxFrames {
			s.Frames = append(s.Frames, f)
			continue
		}
		copy(s.Frames[half:], s.Frames[half+1:])
		s.Frames[maxFrames-1] = f
		s.Omitted++
		s.OmittedAt = half
	}
	if s.Omitted > 0 {
		r.trimmed = true
	}
}

// countAhead guesses the number of frames by their most common member, so that
// the slice is made once.
func (r *reader) countAhead() int {
	return min(strings.Count(r.s[r.i:], `"in_app"`)+1, maxFrames)
}

func (r *reader) frame() Frame {
	var f Frame
	var inApp *bool
	r.open('{')
	for r.key() {
		switch r.k {
		case "filename":
			f.Filename = r.text(maxPath)
		case "abs_path":
			f.AbsPath = r.text(maxPath)
		case "module":
			f.Module = r.text(maxPath)
		case "function":
			f.Function = r.text(maxPath)
		case "package":
			f.Package = r.text(maxPath)
		case "platform":
			f.Platform = r.text(64)
		case "lineno":
			f.Line = r.count()
		case "colno":
			f.Column = r.count()
		case "in_app":
			inApp = r.boolean()
		case "context_line":
			f.Context = r.sourceLine()
		case "pre_context":
			f.PreContext = r.sourceLines(true)
		case "post_context":
			f.PostContext = r.sourceLines(false)
		case "vars":
			f.Vars = r.object(maxVars)
		case "instruction_addr":
			f.Address = r.address()
		case "symbol_addr":
			f.Symbol = r.address()
		default:
			r.skip()
		}
	}
	completeFrame(&f)
	if inApp != nil {
		f.InApp = *inApp
	} else {
		f.InApp = guessInApp(&f)
	}
	return f
}

// completeFrame fills the file name from the path when only that was sent.
func completeFrame(f *Frame) {
	if f.Filename != "" {
		return
	}
	f.Filename = f.AbsPath
	if u, err := url.Parse(f.AbsPath); err == nil && u.Scheme != "" && u.Host != "" && u.Path != "" {
		f.Filename = u.Path
	} else if strings.ContainsAny(f.AbsPath, "/\\") {
		f.Filename = path.Base(strings.ReplaceAll(f.AbsPath, "\\", "/"))
	}
}

// libraryPaths are in the paths of code that its users did not write.
var libraryPaths = []string{"node_modules/", "site-packages/", "dist-packages/", "/usr/lib/", "/usr/local/lib/", "/usr/local/go/src/",
	"/pkg/mod/", "/vendor/", "/gems/", "<frozen ", "node:", "internal/modules/", "/rustc/", "/.cargo/registry/", "webpack/bootstrap"}

// guessInApp decides for clients that do not: a library's path is not the
// user's code, and neither is a frame that has no place at all.
func guessInApp(f *Frame) bool {
	place := f.AbsPath
	if place == "" {
		place = f.Filename
	}
	if place == "" || place == "native" || place == "[native code]" {
		return false
	}
	for _, p := range libraryPaths {
		if strings.Contains(place, p) || strings.HasPrefix(place, p) {
			return false
		}
	}
	return true
}

func (r *reader) sourceLine() string {
	was := r.trimmed // long lines are ordinary in bundles: nothing to remark
	s := strings.TrimRight(r.text(maxLine), "\r\n")
	r.trimmed = was
	return s
}

// sourceLines keeps the lines next to the one in question: the last ones
// before it, the first ones after it.
func (r *reader) sourceLines(before bool) []string {
	if !r.open('[') {
		return nil
	}
	var lines []string
	for r.elem() {
		line := r.sourceLine()
		switch {
		case len(lines) < maxContextSrc:
			lines = append(lines, line)
		case before:
			copy(lines, lines[1:])
			lines[len(lines)-1] = line
		}
	}
	return lines
}

// address reads "0x1f" or a number, and gives the first form.
func (r *reader) address() string {
	if r.peek() == '"' {
		return r.str(64)
	}
	v := r.integer()
	if v == 0 {
		return ""
	}
	return "0x" + strconv.FormatInt(v, 16)
}

func (r *reader) threads() []Thread {
	var out []Thread
	r.values(func() {
		t := r.thread()
		if len(out) < maxThreads {
			out = append(out, t)
			return
		}
		r.trimmed = true
		if t.Crashed || t.Current {
			out[len(out)-1] = t
		}
	})
	return out
}

func (r *reader) thread() Thread {
	var t Thread
	r.open('{')
	for r.key() {
		switch r.k {
		case "id":
			t.ID = r.text(64)
		case "name":
			t.Name = r.short()
		case "state":
			t.State = r.short()
		case "crashed":
			t.Crashed = r.truth()
		case "current":
			t.Current = r.truth()
		case "stacktrace":
			t.Stack = r.stack()
		default:
			r.skip()
		}
	}
	return t
}

// template reads the place in a template (Django's old client) as a frame.
func (r *reader) template() *Stack {
	if r.peek() != '{' {
		r.skip()
		return nil
	}
	f := r.frame()
	f.InApp = true
	if f.Filename == "" {
		return nil
	}
	return &Stack{Frames: []Frame{f}}
}
