package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/platform/config"
)

// logsClient talks to a server as its command line.
type logsClient struct {
	url, token, team string
	out              io.Writer
	colours          bool
}

func (c *cli) logsCommand() *cobra.Command {
	logs := &cobra.Command{Use: "logs", Short: "Search, follow or import log lines; talks to SIGNALBOX_URL with SIGNALBOX_TOKEN"}
	l := &logsClient{}
	logs.PersistentFlags().StringVar(&l.team, "team", "main", "the team whose lines")
	prepare := func() error {
		l.url, l.token = config.Client()
		l.out = c.out
		if l.url == "" || l.token == "" {
			return errUsage{errors.New("set SIGNALBOX_URL to the server's address and SIGNALBOX_TOKEN to a token with logs:read (logs:write to import)")}
		}
		l.url = strings.TrimRight(l.url, "/")
		l.colours = isTerminal(c.out)
		return nil
	}
	run := func(fn func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
		return func(cmd *cobra.Command, args []string) error {
			if err := prepare(); err != nil {
				return err
			}
			return fn(cmd, args)
		}
	}
	var since time.Duration
	var limit int
	search := &cobra.Command{
		Use: "search [QUERY]", Short: `Print lines that meet a query, oldest first: signalbox logs search 'level:>=warn service:api'`,
		RunE: run(func(cmd *cobra.Command, args []string) error {
			return l.search(cmd.Context(), strings.Join(args, " "), since, limit)
		}),
	}
	search.Flags().DurationVar(&since, "since", time.Hour, "how far back")
	search.Flags().IntVar(&limit, "limit", 200, "how many lines at most")
	tail := &cobra.Command{Use: "tail [QUERY]", Short: "Print lines as they come in",
		RunE: run(func(cmd *cobra.Command, args []string) error { return l.tail(cmd.Context(), strings.Join(args, " ")) })}
	var service string
	load := &cobra.Command{
		Use: "import FILE…", Short: "Send old log files (plain, .gz, .zst; JSON lines or text); - is standard input", Args: cobra.MinimumNArgs(1),
		RunE: run(func(cmd *cobra.Command, args []string) error {
			return l.load(cmd.Context(), args, service, cmd.ErrOrStderr())
		}),
	}
	load.Flags().StringVar(&service, "service", "", "service of lines that name none; the file's name without")
	logs.AddCommand(search, tail, load)
	return logs
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type logLine struct {
	Time    time.Time         `json:"time"`
	Level   string            `json:"level"`
	Message string            `json:"message"`
	Labels  map[string]string `json:"labels"`
}

// levelColours are codes of ECMA-48.
var levelColours = map[string]string{"fatal": "\x1b[1;31m", "error": "\x1b[31m", "warn": "\x1b[33m", "debug": "\x1b[2m", "trace": "\x1b[2m"}

func (l *logsClient) print(line logLine) {
	level := fmt.Sprintf("%-5s", line.Level)
	if line.Level == "unknown" {
		level = "     "
	}
	if colour := levelColours[line.Level]; l.colours && colour != "" {
		level = colour + level + "\x1b[0m"
	}
	fmt.Fprintf(l.out, "%s %s %s%s\n", line.Time.Local().Format("2006-01-02 15:04:05.000"), level, spaced(line.Labels["service"]), plain(line.Message))
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return plain(s) + " "
}

// plain keeps a line from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '·'
		}
		return r
	}, s)
}

func (l *logsClient) do(ctx context.Context, method, path string, body io.Reader, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.token)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	var problem struct{ Detail string }
	if json.Unmarshal(raw, &problem) == nil && problem.Detail != "" {
		return nil, errors.New(problem.Detail)
	}
	return nil, fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(raw)))
}

func (l *logsClient) search(ctx context.Context, query string, since time.Duration, limit int) error {
	body, err := json.Marshal(map[string]any{"team": l.team, "query": query, "from": now().Add(-since), "limit": limit})
	if err != nil {
		return err
	}
	answer, err := l.do(ctx, http.MethodPost, "/api/v1/logs/search", bytes.NewReader(body), "Content-Type", "application/json")
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var found struct {
		Lines   []logLine
		Columns []string
		Rows    [][]string
		Cut     string
		Stats   struct{ Partial string }
	}
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	for i := len(found.Lines) - 1; i >= 0; i-- {
		l.print(found.Lines[i])
	}
	if len(found.Columns) > 0 {
		fmt.Fprintln(l.out, strings.Join(found.Columns, "\t"))
		for _, row := range found.Rows {
			fmt.Fprintln(l.out, plainRow(row))
		}
	}
	for _, note := range []string{found.Cut, found.Stats.Partial} {
		if note != "" {
			fmt.Fprintln(l.out, "(", note, ")")
		}
	}
	return nil
}

func plainRow(row []string) string {
	cells := make([]string, len(row))
	for i, cell := range row {
		cells[i] = strings.ReplaceAll(plain(cell), "\t", " ")
	}
	return strings.Join(cells, "\t")
}

func (l *logsClient) tail(ctx context.Context, query string) error {
	answer, err := l.do(ctx, http.MethodGet, "/api/v1/logs/tail?team="+url.QueryEscape(l.team)+"&query="+url.QueryEscape(query), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	events := bufio.NewScanner(answer.Body)
	events.Buffer(nil, 16<<20)
	for events.Scan() {
		data, ok := strings.CutPrefix(events.Text(), "data: ")
		if !ok {
			continue
		}
		var event struct {
			Lines           []logLine
			Dropped, Missed int64
		}
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return fmt.Errorf("read an event: %w", err)
		}
		for _, line := range event.Lines {
			l.print(line)
		}
		if lost := event.Dropped + event.Missed; lost > 0 {
			fmt.Fprintf(l.out, "( %d lines left out: they came faster than they can be shown )\n", lost)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return events.Err()
}

// importBatch is how much is sent at once, before it is compressed.
const importBatch = 4 << 20

func (l *logsClient) load(ctx context.Context, files []string, service string, progress io.Writer) error {
	for _, file := range files {
		if err := l.loadFile(ctx, file, service, progress); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// counting tells how far a file has been read.
type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func (l *logsClient) loadFile(ctx context.Context, file, service string, progress io.Writer) error {
	in, size := io.Reader(os.Stdin), int64(0)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	read := &counting{Reader: in}
	text, err := uncompressed(read, file)
	if err != nil {
		return err
	}
	if service == "" && file != "-" {
		service, _, _ = strings.Cut(filepath.Base(file), ".")
	}
	lines := bufio.NewReaderSize(text, 256<<10)
	if head, _ := lines.Peek(len(journalHead)); string(head) == journalHead {
		return l.loadJournal(ctx, lines, progress, func() {
			if size > 0 {
				fmt.Fprintf(progress, "\r%s: %3d %%", filepath.Base(file), 100*read.n/size)
			}
		})
	}
	var batch bytes.Buffer
	sent := importSum{}
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			batch.Write(bytes.TrimRight(line, "\r\n"))
			batch.WriteByte('\n')
		}
		if batch.Len() >= importBatch || err != nil && batch.Len() > 0 {
			if err := l.ship(ctx, batch.Bytes(), service, &sent); err != nil {
				return err
			}
			batch.Reset()
			if size > 0 {
				fmt.Fprintf(progress, "\r%s: %3d %%, %d lines", filepath.Base(file), 100*read.n/size, sent.Accepted)
			}
		}
		if errors.Is(err, io.EOF) {
			fmt.Fprintf(progress, "\r%s: %d lines taken, %d refused%s\n", filepath.Base(file), sent.Accepted, sent.Rejected, because(sent.FirstError))
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// journalHead is how the journal's export format begins. Its entries are many lines each, so
// it goes as one stream to where systemd-journal-upload sends it too.
const journalHead = "__CURSOR="

func (l *logsClient) loadJournal(ctx context.Context, in io.Reader, done io.Writer, progress func()) error {
	answer, err := l.do(ctx, http.MethodPost, "/insert/journald/upload", &reporting{Reader: in, report: progress}, "Content-Type", "application/vnd.fdo.journal", "X-Scope-OrgID", l.team)
	if err != nil {
		return err
	}
	fmt.Fprintln(done)
	return answer.Body.Close()
}

// reporting calls report for every four megabytes read, and at the end.
type reporting struct {
	io.Reader
	n      int
	report func()
}

func (r *reporting) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.n += n; r.n >= importBatch || err != nil {
		r.n = 0
		r.report()
	}
	return n, err
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func uncompressed(r io.Reader, file string) (io.Reader, error) {
	switch filepath.Ext(file) {
	case ".gz":
		return gzip.NewReader(r)
	case ".zst":
		return zstd.NewReader(r)
	}
	return r, nil
}

type importSum struct {
	Accepted   int    `json:"accepted"`
	Rejected   int    `json:"rejected"`
	FirstError string `json:"first_error"`
}

// ship sends a batch and, while the server is busy, tries again.
func (l *logsClient) ship(ctx context.Context, batch []byte, service string, sum *importSum) error {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(batch); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	path := "/insert/jsonline?_stream_fields=service,host,env,source&_service=" + url.QueryEscape(service)
	var last error
	for attempt := range 5 {
		if attempt > 0 {
			if err := sleep(ctx, time.Duration(attempt)*2*time.Second); err != nil {
				return err
			}
		}
		answer, err := l.do(ctx, http.MethodPost, path, bytes.NewReader(packed.Bytes()), "Content-Encoding", "gzip", "X-Scope-OrgID", l.team)
		if err != nil {
			last = err
			continue
		}
		var part importSum
		err = json.NewDecoder(answer.Body).Decode(&part)
		answer.Body.Close()
		sum.Accepted, sum.Rejected = sum.Accepted+part.Accepted, sum.Rejected+part.Rejected
		if sum.FirstError == "" {
			sum.FirstError = part.FirstError
		}
		return err
	}
	return last
}
