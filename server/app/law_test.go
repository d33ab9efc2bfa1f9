package app_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/signalbox/signalbox/"

// file is what the law looks at: where a file is and what it imports.
type file struct {
	path    string // from the repository's root
	test    bool
	imports []string
}

// layers from bottom to top; a package imports only lower ones and its own subtree.
var capabilities = []string{"server/ci", "server/issues", "server/logs", "server/assistant", "server/edge", "server/accounts", "server/system"}

// onlyIn names what may be imported from few places: import prefix, where, why.
var onlyIn = []struct {
	prefix string
	ok     func(path string) bool
	why    string
}{
	{"gorm.io/", func(p string) bool {
		return strings.HasSuffix(p, "_store.go") || strings.HasPrefix(p, "server/platform/database/")
	}, "gorm only in *_store.go and platform/database"},
	{"github.com/gin-gonic/gin", func(p string) bool {
		return strings.HasSuffix(p, "_http.go") || strings.HasPrefix(p, "server/platform/api/") || strings.HasPrefix(p, "server/app/")
	}, "gin only in *_http.go, platform/api and app"},
}

func violations(files []file) []string {
	var bad []string
	for _, f := range files {
		for _, imported := range f.imports {
			for _, o := range onlyIn {
				if strings.HasPrefix(imported, o.prefix) && !f.test && !o.ok(f.path) {
					bad = append(bad, fmt.Sprintf("%s imports %s: %s", f.path, imported, o.why))
				}
			}
			if to, own := strings.CutPrefix(imported, module); own {
				if why := forbidden(filepath.Dir(f.path), to); why != "" {
					bad = append(bad, fmt.Sprintf("%s imports %s: %s", f.path, to, why))
				}
			}
		}
	}
	return bad
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func capabilityOf(path string) string {
	i := slices.IndexFunc(capabilities, func(c string) bool { return within(path, c) })
	if i < 0 {
		return ""
	}
	return capabilities[i]
}

// forbidden says why a package in folder from may not import the one in to; "" when it may.
func forbidden(from, to string) string {
	capability := capabilityOf(from)
	switch {
	case within(from, "server/app") || from == "server":
		return ""
	case within(to, "server/app"):
		return "nothing but main imports app"
	case within(from, "agents") || within(from, "bots"):
		if !within(to, strings.SplitN(from, "/", 2)[0]) {
			return "agents and bots import nothing of ours above them"
		}
	case within(from, "migrations"), within(from, "web"):
		return "migrations and web import nothing of ours"
	case within(from, "server/platform"):
		if !within(to, "server/platform") && !within(to, "migrations") {
			return "platform imports only platform and migrations"
		}
	case capability != "":
		return forbiddenFromCapability(from, to, capability)
	}
	return ""
}

func forbiddenFromCapability(from, to, capability string) string {
	switch {
	case within(to, "server/platform"):
		return ""
	case within(to, capability):
		if from != capability && to == capability {
			return "a child package never imports its parent"
		}
		return ""
	case capability == "server/assistant" && within(to, "bots"):
		return ""
	case capability == "server/edge" && (within(to, "agents/protocol") || within(to, "agents/bundle")):
		return ""
	case capabilityOf(to) != "":
		return "capabilities do not import each other; ask through an interface that app wires"
	}
	return "a capability imports only platform and its own children"
}

func readTree(t *testing.T) []file {
	t.Helper()
	root := "../.."
	var files []file
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "data" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		f := file{path: filepath.ToSlash(rel), test: strings.HasSuffix(path, "_test.go")}
		for _, i := range parsed.Imports {
			f.imports = append(f.imports, strings.Trim(i.Path.Value, `"`))
		}
		files = append(files, f)
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatalf("read %d files: %v", len(files), err)
	}
	return files
}

func TestImportLaw(t *testing.T) {
	t.Parallel()
	for _, v := range violations(readTree(t)) {
		t.Error(v)
	}
}

func TestImportLawBites(t *testing.T) {
	t.Parallel()
	own := func(p string) string { return module + p }
	for _, bad := range []file{
		{path: "server/ci/build.go", imports: []string{"gorm.io/gorm"}},
		{path: "server/ci/build.go", imports: []string{"github.com/gin-gonic/gin"}},
		{path: "server/ci/trigger.go", imports: []string{own("server/issues")}},
		{path: "server/logs/query/query.go", imports: []string{own("server/logs")}},
		{path: "server/platform/work/job.go", imports: []string{own("server/ci")}},
		{path: "server/ci/build.go", imports: []string{own("server/app")}},
		{path: "agents/apply/apply.go", imports: []string{own("server/platform/problem")}},
		{path: "bots/slack/slack.go", imports: []string{own("server/assistant")}},
		{path: "server/issues/alert.go", imports: []string{own("bots/slack")}},
		{path: "server/ci/edge.go", imports: []string{own("agents/protocol")}},
		{path: "migrations/migrations.go", imports: []string{own("server/platform/database")}},
	} {
		if len(violations([]file{bad})) == 0 {
			t.Errorf("%s importing %v was let through", bad.path, bad.imports)
		}
	}
	for _, good := range []file{
		{path: "server/ci/build_store.go", imports: []string{"gorm.io/gorm", own("server/platform/database")}},
		{path: "server/ci/build_http.go", imports: []string{"github.com/gin-gonic/gin", own("server/ci/plan")}},
		{path: "server/ci/build_test.go", imports: []string{"github.com/gin-gonic/gin"}, test: true},
		{path: "server/assistant/run.go", imports: []string{own("bots/llm")}},
		{path: "server/edge/checkin.go", imports: []string{own("agents/protocol")}},
		{path: "server/app/app.go", imports: []string{own("server/ci"), own("server/logs")}},
	} {
		if v := violations([]file{good}); len(v) > 0 {
			t.Errorf("refused: %v", v)
		}
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range readTree(t) {
		if f.test {
			continue
		}
		dir := filepath.Dir(f.path)
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join("../..", f.path), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		documented[dir] = documented[dir] || parsed.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

func TestFileNamesHideNoBuildConstraint(t *testing.T) {
	t.Parallel()
	for _, f := range readTree(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(f.path), ".go"), "_test")
		for _, suffix := range []string{"_linux", "_windows", "_darwin", "_arm", "_arm64", "_amd64", "_js", "_plan9"} {
			if strings.HasSuffix(name, suffix) {
				if raw, err := os.ReadFile(filepath.Join("../..", f.path)); err != nil || !strings.Contains(string(raw), "//go:build") {
					t.Errorf("%s ends in %s without saying the build constraint in words", f.path, suffix)
				}
			}
		}
	}
}
