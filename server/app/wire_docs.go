package app

import (
	"io/fs"
	"regexp"

	"github.com/signalbox/signalbox/server/docs"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/web"
)

var stylesheet = regexp.MustCompile(`<link rel="stylesheet"[^>]* href="([^"]+)"`)

// docsRoutes serves the manual, in the clothes of the user interface.
func (a *App) docsRoutes(r api.Router) error {
	files, err := web.Files()
	if err != nil {
		return err
	}
	var styles []string
	// Without a built user interface the manual is plain, and still there.
	if index, err := fs.ReadFile(files, "index.html"); err == nil {
		for _, m := range stylesheet.FindAllSubmatch(index, -1) {
			styles = append(styles, string(m[1]))
		}
	}
	a.manual = docs.New(docs.Deps{Address: a.PublicURL, Facts: a.facts, Stylesheets: styles, Version: Version})
	a.manual.Routes(r)
	return nil
}

// facts are what the manual's reference is made of; the server is wired when the first page is asked for.
func (a *App) facts() docs.Facts {
	return docs.Facts{}
}
