package docs

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// usualAddress is what commands in the pages call this server.
const usualAddress = "http://localhost:8080"

// Fence is a block of code of a page.
type Fence struct {
	// Language is sh for commands, text for what they answer, or that of a file.
	Language string
	// Needs is the program that a block of commands asks for beyond those of every machine; "" when none.
	Needs string
	// Soak tells that running it takes longer than the usual tests have.
	Soak bool
	Code string
}

// needs is what a block asks for, in words: needs=a-new-machine, but needs=sentry-cli.
func (f Fence) needs() string {
	if article, rest, found := strings.Cut(f.Needs, "-"); found && (article == "a" || article == "an" || article == "machines") {
		return article + " " + strings.ReplaceAll(rest, "-", " ")
	}
	return f.Needs
}

// fenceOf reads the words behind the three backticks: "sh needs=helm".
func fenceOf(info, code string) Fence {
	f := Fence{Code: code}
	for i, word := range strings.Fields(info) {
		needs, isNeeds := strings.CutPrefix(word, "needs=")
		switch {
		case i == 0:
			f.Language = word
		case isNeeds:
			f.Needs = needs
		case word == "soak":
			f.Soak = true
		}
	}
	return f
}

// reader of Markdown: CommonMark with tables, headings with ids, our own blocks of code. Raw HTML is not let through.
var reader = goldmark.New(
	goldmark.WithExtensions(extension.Table),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(blocks{}, 100))),
)

// render makes a page of Markdown, whose first line is its title.
func render(path, markdown, address string) (*Page, error) {
	source := []byte(strings.ReplaceAll(markdown, usualAddress, address))
	tree := reader.Parser().Parse(text.NewReader(source))
	p := &Page{Path: path}
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		p.add(n, source)
	}
	if len(p.Sections) == 0 || p.Sections[0].Level != 1 {
		return nil, fmt.Errorf("page %s of the manual does not begin with its title", path)
	}
	p.Title = p.Sections[0].Title
	var out bytes.Buffer
	if err := reader.Renderer().Render(&out, source, tree); err != nil {
		return nil, fmt.Errorf("render page %s of the manual: %w", path, err)
	}
	p.HTML = out.String()
	return p, nil
}

// add takes in a block of the page: headings begin sections, all else is their text.
func (p *Page) add(n ast.Node, source []byte) {
	switch n := n.(type) {
	case *ast.Heading:
		id, _ := n.AttributeString("id")
		anchor, _ := id.([]byte)
		p.Sections = append(p.Sections, Section{Title: plain(n, source), Anchor: string(anchor), Level: n.Level})
		return
	case *ast.FencedCodeBlock:
		p.Fences = append(p.Fences, fenceOf(info(n, source), code(n, source)))
	case *ast.Paragraph:
		if p.Lead == "" {
			p.Lead = plain(n, source)
		}
	}
	if len(p.Sections) > 0 {
		last := &p.Sections[len(p.Sections)-1]
		last.Text = strings.TrimSpace(last.Text + " " + plain(n, source))
	}
}

// plain is the text of a node without marks.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	// Walk's error is only ever that of its function, which has none.
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Segment.Value(source))
				if n.SoftLineBreak() || n.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.FencedCodeBlock:
			if entering {
				b.WriteString(code(n, source))
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

func info(n *ast.FencedCodeBlock, source []byte) string {
	if n.Info == nil {
		return ""
	}
	return string(n.Info.Segment.Value(source))
}

func code(n ast.Node, source []byte) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(source))
	}
	return b.String()
}

// blocks draws code, headings and tables as the user interface does.
type blocks struct{}

func (blocks) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, drawCode)
	r.Register(ast.KindHeading, drawHeading)
}

// captions say what a block is, where that is not plain from its looks.
var captions = map[string]string{"text": "Answer"}

func drawCode(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	block, isFence := n.(*ast.FencedCodeBlock)
	if !entering || !isFence {
		return ast.WalkContinue, nil
	}
	f := fenceOf(info(block, source), code(block, source))
	caption := captions[f.Language]
	if f.Needs != "" {
		caption = "Needs " + f.needs()
	}
	fmt.Fprintf(w, `<div class="block %s">`, html.EscapeString(f.Language))
	if caption != "" {
		fmt.Fprintf(w, `<span class="caption">%s</span>`, html.EscapeString(caption))
	}
	fmt.Fprintf(w, `<pre class="code" tabindex="0"><code>%s</code></pre></div>`+"\n", html.EscapeString(f.Code))
	return ast.WalkSkipChildren, nil
}

// drawHeading adds the link that a reader copies.
func drawHeading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h, isHeading := n.(*ast.Heading)
	if !isHeading {
		return ast.WalkContinue, nil
	}
	id, _ := h.AttributeString("id")
	anchor, _ := id.([]byte)
	switch {
	case entering:
		fmt.Fprintf(w, `<h%d id="%s">`, h.Level, util.EscapeHTML(anchor))
	case h.Level == 1:
		w.WriteString("</h1>\n")
	default:
		fmt.Fprintf(w, ` <a class="anchor" href="#%s" aria-label="Link to this section">#</a></h%d>`+"\n", util.EscapeHTML(anchor), h.Level)
	}
	return ast.WalkContinue, nil
}
