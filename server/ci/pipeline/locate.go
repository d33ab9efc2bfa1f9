package pipeline

import (
	"slices"
	"strconv"
	"strings"

	yamlv3 "gopkg.in/yaml.v3"
)

// Locate finds the place in the source that a message speaks of. path is the
// message's leading context, such as `jobs.build.plan.do[0].get(repo)`; the rest
// of the message may follow after a colon. What cannot be followed further
// stays at the last place that was found; 0, 0 means nowhere.
func Locate(data []byte, path string) (line, column int) {
	root, err := parseNodes(data)
	if err != nil || root == nil {
		return 0, 0
	}
	return newLocator(root).follow(path).position()
}

// locator walks from the root along a context. trail holds the nodes on the
// way, because a context does not say when it goes back up: the parts of a
// modifier are followed by those of the step in the same mapping.
type locator struct {
	trail []*yamlv3.Node
	at    *yamlv3.Node // what to show
}

func newLocator(root *yamlv3.Node) *locator {
	return &locator{trail: []*yamlv3.Node{root}}
}

func (l *locator) position() (line, column int) {
	if l.at == nil {
		return 0, 0
	}
	return l.at.Line, l.at.Column
}

func (l *locator) top() *yamlv3.Node { return l.trail[len(l.trail)-1] }

func (l *locator) follow(path string) *locator {
	section, rest := cutSection(path)
	if !l.key(section) {
		return l
	}
	if !strings.HasPrefix(rest, ".") || l.top().Kind != yamlv3.SequenceNode {
		l.walk(rest)
		return l
	}
	// Names may hold dots, so several elements can fit; the one with which the
	// path can be followed furthest is meant, and of those the longest name.
	best, bestLeft, bestName := l, len(rest)+1, 0
	for _, item := range l.top().Content {
		name := mappingText(item, "name")
		after, fits := strings.CutPrefix(rest[1:], name)
		if name == "" || !fits || after != "" && !strings.ContainsRune(".:[ ", rune(after[0])) {
			continue
		}
		try := &locator{trail: slices.Clone(l.trail), at: l.at}
		try.push(item, item)
		left := len(try.walk(after))
		if left < bestLeft || left == bestLeft && len(name) > bestName {
			best, bestLeft, bestName = try, left, len(name)
		}
	}
	return best
}

// walk follows the parts of a context and gives what it could not follow.
func (l *locator) walk(rest string) string {
	ok := true
	for ok && rest != "" {
		rest, ok = l.part(rest)
	}
	return rest
}

// cutSection splits off the first word, such as `jobs`.
func cutSection(path string) (section, rest string) {
	if i := strings.IndexAny(path, ".[: "); i >= 0 {
		return path[:i], path[i:]
	}
	return path, ""
}

func (l *locator) push(node, show *yamlv3.Node) {
	l.trail = append(l.trail, resolveAlias(node))
	l.at = show
}

func (l *locator) index(rest string) (string, bool) {
	end := strings.IndexByte(rest, ']')
	if end < 0 {
		return rest, false
	}
	i, err := strconv.Atoi(rest[1:end])
	list := l.top()
	if err != nil || list.Kind != yamlv3.SequenceNode || i < 0 || i >= len(list.Content) {
		return rest, false
	}
	l.push(list.Content[i], list.Content[i])
	return rest[end+1:], true
}

// part follows one part of a context: `[2]`, `.do`, `.steps[1]`, `.get(repo)`.
func (l *locator) part(rest string) (string, bool) {
	whole := rest
	switch rest[0] {
	case '[':
		return l.index(rest)
	case '.':
		rest = rest[1:]
	default:
		return rest, false
	}
	end := strings.IndexAny(rest, ".[(:")
	if end < 0 {
		end = len(rest)
	}
	name := rest[:end]
	rest = rest[end:]
	if strings.HasPrefix(rest, "(") {
		rest = afterParenthesis(rest)
		// The name of a core step is a key of the mapping that holds its other
		// keys too, so stay on that mapping.
		if name == "run" || l.findKey(name) != nil {
			l.stayAt(name)
		}
		return rest, true
	}
	top := l.top()
	if (name == "do" || name == "steps") && top.Kind == yamlv3.SequenceNode {
		return rest, true // the plan of a job, or in_parallel written as a list
	}
	if !l.key(name) {
		return whole, false
	}
	return rest, true
}

// stayAt goes back to the mapping with the key, and shows the key.
func (l *locator) stayAt(name string) {
	for i := len(l.trail) - 1; i >= 0; i-- {
		if key, _ := mappingPair(l.trail[i], name); key != nil {
			l.trail = l.trail[:i+1]
			l.at = key
			return
		}
	}
}

func (l *locator) findKey(name string) *yamlv3.Node {
	for i := len(l.trail) - 1; i >= 0; i-- {
		if key, _ := mappingPair(l.trail[i], name); key != nil {
			return key
		}
	}
	return nil
}

// key goes to the value of the nearest mapping on the trail that has the key.
func (l *locator) key(name string) bool {
	for i := len(l.trail) - 1; i >= 0; i-- {
		if key, value := mappingPair(l.trail[i], name); key != nil {
			l.trail = l.trail[:i+1]
			l.push(value, key)
			return true
		}
	}
	return false
}

// afterParenthesis skips a name in parentheses that may hold anything.
func afterParenthesis(rest string) string {
	for i := 1; i < len(rest); i++ {
		if rest[i] == ')' && (i+1 == len(rest) || strings.IndexByte(".:[ ", rest[i+1]) >= 0) {
			return rest[i+1:]
		}
	}
	return ""
}

func resolveAlias(node *yamlv3.Node) *yamlv3.Node {
	if node.Kind == yamlv3.AliasNode {
		return node.Alias
	}
	return node
}

// mappingPair finds a key in a mapping, or in the mappings it merges with `<<`.
func mappingPair(node *yamlv3.Node, name string) (key, value *yamlv3.Node) {
	node = resolveAlias(node)
	if node.Kind != yamlv3.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name && node.Content[i].Kind == yamlv3.ScalarNode {
			return node.Content[i], node.Content[i+1]
		}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Tag != "!!merge" {
			continue
		}
		from := resolveAlias(node.Content[i+1])
		merged := []*yamlv3.Node{from}
		if from.Kind == yamlv3.SequenceNode {
			merged = from.Content
		}
		for _, m := range merged {
			if key, value := mappingPair(m, name); key != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

func mappingText(node *yamlv3.Node, name string) string {
	if _, value := mappingPair(node, name); value != nil && value.Kind == yamlv3.ScalarNode {
		return value.Value
	}
	return ""
}
