package logs

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signalbox/signalbox/server/logs/query"
	"github.com/signalbox/signalbox/server/logs/store"
	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

func (s *Service) exportRoutes(r api.Router) {
	r.GET("/export", api.Scoped("logs", identity.Read), s.export)
}

// exportTime bounds an export, which may be long: all lines of the range are
// read, as fast as the client takes them.
const exportTime = 30 * time.Minute

// export streams every line of a search as NDJSON, CSV or text. It takes the
// raw context because the answer does not fit into memory. A trailer,
// X-Partial, says if it is not the whole.
func (s *Service) export(c *gin.Context) {
	in := Search{Team: c.Query("team"), Query: c.Query("query"), Oldest: c.Query("order") == "oldest"}
	var err error
	for name, target := range map[string]*time.Time{"from": &in.From, "to": &in.To} {
		if text := c.Query(name); text != "" {
			if *target, err = time.Parse(time.RFC3339Nano, text); err != nil {
				api.WriteProblem(c, problem.FieldError(name, "%.40q is no time such as 2026-01-31T12:00:00Z", text))
				return
			}
		}
	}
	q, err := s.ask(c.Request.Context(), in)
	if err == nil && q.query.Ordered() {
		err = problem.FieldError("query", "an export takes conditions, fields and limit; leave the other pipes out")
	}
	var w lineWriter
	if err == nil {
		w, err = newLineWriter(c.Query("format"), fieldsOf(q.query))
	}
	if err != nil {
		api.WriteProblem(c, err)
		return
	}
	q.Limit = 0
	q.Budget = store.Budget{Time: exportTime, Bytes: 1 << 50}
	h := c.Writer.Header()
	h.Set("Content-Type", w.contentType())
	h.Set("Content-Disposition", `attachment; filename="logs-`+q.From.UTC().Format("20060102-150405")+"."+w.extension()+`"`)
	h.Set("Trailer", "X-Partial")
	c.Status(http.StatusOK)
	out := bufio.NewWriterSize(c.Writer, 64<<10)
	w.begin(out)
	stream := query.NewStream(q.query)
	rows := s.Store.Search(c.Request.Context(), q.Request)
	for row := range rows.All() {
		v := stream.Apply(&row.Record)
		if v == nil {
			continue
		}
		if err := w.line(out, v); err != nil {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return
	}
	if p := rows.Stats().Partial; p != store.Whole {
		h.Set("X-Partial", string(p))
	}
	if err := rows.Err(); err != nil {
		s.Log.Warn("an export of logs ended early", "error", err)
		h.Set("X-Partial", "error")
	}
}

// fieldsOf are the names that the query's pipes choose; nil is all.
func fieldsOf(q *query.Query) []string {
	var names []string
	for _, p := range q.Pipes {
		if f, ok := p.(query.Fields); ok {
			names = f.Names
		}
	}
	return names
}

type lineWriter interface {
	contentType() string
	extension() string
	begin(w *bufio.Writer)
	line(w *bufio.Writer, v *query.View) error
}

func newLineWriter(format string, fields []string) (lineWriter, error) {
	switch format {
	case "", "ndjson":
		return ndjson{fields}, nil
	case "csv":
		if fields == nil {
			fields = []string{"level", "service", "host"}
		}
		return csvLines{fields}, nil
	case "txt":
		return plainText{}, nil
	}
	return nil, problem.FieldError("format", "%.20q is none of ndjson, csv and txt", format)
}

type ndjson struct{ fields []string }

func (ndjson) contentType() string { return "application/x-ndjson" }
func (ndjson) extension() string   { return "ndjson" }
func (ndjson) begin(*bufio.Writer) {}

func (n ndjson) line(w *bufio.Writer, v *query.View) error {
	m := map[string]string{"_time": v.Time.UTC().Format(time.RFC3339Nano)}
	if n.fields == nil {
		m["_msg"] = v.Line()
	}
	for name, value := range v.Values() {
		m[name] = value
	}
	if slices.Contains(n.fields, "_msg") {
		m["_msg"] = v.Line()
	}
	return json.NewEncoder(w).Encode(m)
}

type csvLines struct{ fields []string }

func (csvLines) contentType() string { return "text/csv; charset=utf-8" }
func (csvLines) extension() string   { return "csv" }

func (l csvLines) begin(w *bufio.Writer) {
	// An error stays with the writer and ends the first line.
	_ = writeCSV(w, append(append([]string{"_time"}, l.fields...), "_msg"))
}

func (l csvLines) line(w *bufio.Writer, v *query.View) error {
	row := []string{v.Time.UTC().Format(time.RFC3339Nano)}
	for _, name := range l.fields {
		value, _ := v.Value(name)
		row = append(row, harmless(value))
	}
	return writeCSV(w, append(row, harmless(v.Line())))
}

func writeCSV(w *bufio.Writer, row []string) error {
	c := csv.NewWriter(w)
	if err := c.Write(row); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}

// harmless keeps a spreadsheet from taking a value as a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

type plainText struct{}

func (plainText) contentType() string { return "text/plain; charset=utf-8" }
func (plainText) extension() string   { return "txt" }
func (plainText) begin(*bufio.Writer) {}

func (plainText) line(w *bufio.Writer, v *query.View) error {
	// The writer keeps its first error and gives it to Flush and to the next line.
	w.WriteString(v.Time.UTC().Format(time.RFC3339Nano))
	w.WriteByte(' ')
	w.WriteString(v.Line())
	return w.WriteByte('\n')
}
