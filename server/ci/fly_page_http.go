package ci

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

const flyDefaultLimit = 100

// flyPage is a page of builds as fly asks for it: from and to are inclusive ids,
// or Unix seconds with timestamps.
type flyPage struct {
	from, to   int64
	timestamps bool
	limit      int
}

func pageOf(c *gin.Context) flyPage {
	p := flyPage{timestamps: c.Query("timestamps") != ""}
	// What is no number counts as absent, as it does for Concourse.
	p.from, _ = strconv.ParseInt(c.Query("from"), 10, 64)
	p.to, _ = strconv.ParseInt(c.Query("to"), 10, 64)
	p.limit, _ = strconv.Atoi(c.Query("limit"))
	if p.limit <= 0 {
		p.limit = flyDefaultLimit
	}
	p.limit = min(p.limit, 1000)
	return p
}

// filter turns the page into a filter that asks for one row more than shown.
func (p flyPage) filter(f buildFilter) buildFilter {
	f.Limit = p.limit + 1
	switch {
	case p.timestamps:
		f.Since = millis(p.from * 1000)
		if p.to != 0 {
			f.Until = millis(p.to*1000 + 999)
		}
	case p.to != 0:
		f.Below = p.to + 1
		f.Above = max(p.from-1, 0)
	case p.from != 0:
		f.Above, f.OldestFirst = max(p.from-1, 0), true
	}
	return f
}

// listBuilds answers with a page of builds, newest first, and links to its neighbours.
func (f fly) listBuilds(c *gin.Context, filter buildFilter, path string, vars pipeline.InstanceVars) error {
	ctx := c.Request.Context()
	p := pageOf(c)
	filter = p.filter(filter)
	rows, err := f.builds(ctx, filter)
	if err != nil {
		return err
	}
	more := len(rows) > p.limit
	if more {
		rows = rows[:p.limit]
	}
	if filter.OldestFirst {
		slices.Reverse(rows)
	}
	if len(rows) > 0 && !p.timestamps {
		newest, oldest := rows[0].ID, rows[len(rows)-1].ID
		older := more && !filter.OldestFirst || filter.OldestFirst && p.from > 1
		newer := more && filter.OldestFirst
		if !filter.OldestFirst && p.to != 0 {
			above := filter
			above.Below, above.Above, above.Limit = 0, newest, 1
			next, err := f.builds(ctx, above)
			if err != nil {
				return err
			}
			newer = len(next) > 0
		}
		if older {
			f.link(c, path, vars, "to", oldest-1, p.limit, "next")
		}
		if newer {
			f.link(c, path, vars, "from", newest+1, p.limit, "previous")
		}
	}
	out, err := f.names().flyBuilds(ctx, rows)
	if err != nil {
		return err
	}
	return f.json(c, http.StatusOK, out)
}

func (f fly) link(c *gin.Context, path string, vars pipeline.InstanceVars, bound string, id int64, limit int, rel string) {
	extra := ""
	for _, key := range sortedNames(vars) {
		extra += fmt.Sprintf("&vars.%s=%s", key, queryEscape(encode(vars[key])))
	}
	c.Writer.Header().Add("Link", fmt.Sprintf(`<%s%s?%s=%d&limit=%d%s>; rel="%s"`, f.publicURL(), path, bound, id, limit, extra, rel))
}
