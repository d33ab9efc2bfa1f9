package docs

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/server/platform/problem"
)

//go:embed pages/*.md
var files embed.FS

// Part is a heading of the book's contents.
type Part struct {
	Title string
	Pages []*Page
}

// Page is one page, rendered.
type Page struct {
	// Path is its address: /docs/install.
	Path  string
	Title string
	// Lead is its first paragraph without marks.
	Lead     string
	HTML     string
	Sections []Section
	Fences   []Fence
}

// Section is a stretch of a page under one heading; the first is the page's own.
type Section struct {
	Title, Anchor string
	Level         int
	Text          string
}

// Book is the whole manual.
type Book struct {
	Parts []Part
	pages []*Page
}

// contents is what is written by hand, in order. The name of the first page is empty: it is /docs itself.
var contents = []struct {
	title string
	pages []string
}{
	{"Start", []string{"", "install"}},
	{"First ten minutes", []string{"pipelines", "errors", "logs", "assistant", "edge"}},
	{"Moving here", []string{"from-concourse", "from-sentry", "from-loki", "from-patch-scripts"}},
	{"Operating", []string{"operating", "security"}},
}

// load renders the whole book. The address stands in for http://localhost:8080.
func load(address string, facts Facts) (*Book, error) {
	b := &Book{}
	for _, part := range contents {
		p := Part{Title: part.title}
		for _, name := range part.pages {
			file := name
			if name == "" {
				file = "start"
			}
			raw, err := files.ReadFile("pages/" + file + ".md")
			if err != nil {
				return nil, fmt.Errorf("read a page of the manual: %w", err)
			}
			page, err := render("/docs/"+name, string(raw), address)
			if err != nil {
				return nil, err
			}
			p.Pages = append(p.Pages, page)
		}
		b.Parts = append(b.Parts, p)
	}
	reference := Part{Title: "Reference"}
	chapters, err := facts.chapters()
	if err != nil {
		return nil, err
	}
	for _, c := range chapters {
		page, err := render("/docs/reference/"+c.name, c.markdown, address)
		if err != nil {
			return nil, err
		}
		reference.Pages = append(reference.Pages, page)
	}
	b.Parts = append(b.Parts, reference)
	for _, part := range b.Parts {
		b.pages = append(b.pages, part.Pages...)
	}
	b.pages[0].Path = "/docs"
	return b, nil
}

// Pages is every page, in order.
func (b *Book) Pages() []*Page { return b.pages }

// page finds one by its path, and its neighbours.
func (b *Book) page(path string) (page, previous, next *Page, err error) {
	at := slices.IndexFunc(b.pages, func(p *Page) bool { return p.Path == path })
	if at < 0 {
		return nil, nil, nil, problem.New(problem.NotFound, "The manual has no page %s.", path)
	}
	if at > 0 {
		previous = b.pages[at-1]
	}
	if at+1 < len(b.pages) {
		next = b.pages[at+1]
	}
	return b.pages[at], previous, next, nil
}

// Hit is a section that answers a search.
type Hit struct {
	Page    string `json:"page"`
	Title   string `json:"title"`
	Path    string `json:"path"`
	Excerpt string `json:"excerpt"`
	points  int
}

const mostHits = 20

// Find gives the sections in which every word of text occurs, the best first. Words in headings count more, and pages that explain.
func (b *Book) Find(text string) []Hit {
	words := strings.Fields(strings.ToLower(text))
	for i, word := range words {
		if len(word) > 3 {
			words[i] = strings.TrimSuffix(word, "s") // backups finds backup, and itself
		}
	}
	hits := []Hit{}
	if len(words) == 0 {
		return hits
	}
	for _, page := range b.pages {
		for i, s := range page.Sections {
			points := s.points(page, words)
			if points == 0 {
				continue
			}
			path := page.Path
			if !strings.HasPrefix(path, "/docs/reference/") {
				points += 4 // who searches wants to be told before wanting all
			}
			if i > 0 {
				path += "#" + s.Anchor
			} else {
				points += 2
			}
			hits = append(hits, Hit{Page: page.Title, Title: s.Title, Path: path, Excerpt: excerpt(s.Text, words), points: points})
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return b.points - a.points })
	return hits[:min(len(hits), mostHits)]
}

func (s Section) points(page *Page, words []string) (sum int) {
	title, body, whole := strings.ToLower(s.Title), strings.ToLower(s.Text), strings.ToLower(page.Title)
	for _, word := range words {
		points := 0
		if strings.Contains(title, word) {
			points += 10
		}
		if strings.Contains(whole, word) {
			points += 4
		}
		if n := strings.Count(body, word); n > 0 {
			points += min(n, 3)
		} else if points < 10 {
			return 0 // the page's title alone does not make each of its sections an answer
		}
		sum += points
	}
	return sum
}

// excerpt is a stretch of the text around the first word found.
func excerpt(text string, words []string) string {
	const before, length = 40, 160
	runes, lower := []rune(text), strings.ToLower(text)
	at := strings.Index(lower, words[0])
	from := 0
	if at > 0 {
		from = max(0, len([]rune(lower[:at]))-before)
	}
	from = min(from, len(runes))
	for from > 0 && from < len(runes) && runes[from-1] != ' ' {
		from--
	}
	to := min(len(runes), from+length)
	out := strings.TrimSpace(string(runes[from:to]))
	if from > 0 {
		out = "… " + out
	}
	if to < len(runes) {
		out += " …"
	}
	return out
}

// Manual renders the book once it is asked for: the facts are known only when the whole server is wired.
type Manual struct {
	deps Deps
	once sync.Once
	book *Book
	// openAPI is handed out as it is, to those who make clients of it.
	openAPI []byte
	err     error
}

// Deps is what the manual is made with.
type Deps struct {
	// Address is where people reach this server; commands are shown with it.
	Address func() string
	// Facts are read when the first page is asked for.
	Facts func() Facts
	// Stylesheets are the addresses of the user interface's own, fonts and tokens with them.
	Stylesheets []string
	Version     string
}

// New makes a manual; nothing is rendered yet.
func New(deps Deps) *Manual { return &Manual{deps: deps} }

// Book is the rendered manual.
func (m *Manual) Book() (*Book, error) {
	m.once.Do(func() {
		facts := m.deps.Facts()
		m.openAPI = facts.OpenAPI
		m.book, m.err = load(m.deps.Address(), facts)
	})
	return m.book, m.err
}

// Find is Book.Find for those who hold no book.
func (m *Manual) Find(text string) ([]Hit, error) {
	book, err := m.Book()
	if err != nil {
		return nil, err
	}
	return book.Find(text), nil
}
