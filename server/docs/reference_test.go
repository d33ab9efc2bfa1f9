package docs

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is generated")

var topicForm = regexp.MustCompile(`^(ci|issues|logs|assistant|edge|accounts|system)\.[a-z_]+$`)

// topicsOf finds the topics that a file publishes: constants called so, and words given to publish.
func topicsOf(file *ast.File) []string {
	var found []string
	take := func(e ast.Expr) {
		if lit, isLit := e.(*ast.BasicLit); isLit && lit.Kind == token.STRING {
			if word, err := strconv.Unquote(lit.Value); err == nil && topicForm.MatchString(word) {
				found = append(found, word)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if strings.Contains(strings.ToLower(name.Name), "topic") && i < len(n.Values) {
					take(n.Values[i])
				}
			}
		case *ast.CallExpr:
			name := ""
			switch fn := n.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				name = fn.Sel.Name
			}
			if strings.EqualFold(name, "publish") {
				for _, arg := range n.Args {
					take(arg)
				}
			}
		case *ast.KeyValueExpr:
			if key, isIdent := n.Key.(*ast.Ident); isIdent && key.Name == "Topic" {
				take(n.Value)
			}
		}
		return true
	})
	return found
}

// TestReferenceIsFresh holds what is generated to the code it is generated from.
func TestReferenceIsFresh(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, topic := range topicsOf(file) {
			found[topic] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	if *update {
		if err := os.WriteFile("reference/topics.txt", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if topics != want {
		t.Errorf("reference/topics.txt is stale: run go generate ./server/docs\n%s", want)
	}
}
