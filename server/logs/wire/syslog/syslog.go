// Package syslog reads syslog messages in both forms (RFC 5424 and RFC 3164)
// and both framings of streams (RFC 6587: octet counting and a line's end).
package syslog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/logs/record"
)

// MaxMessage is how long a message may be in bytes; the rest of a longer one is
// passed over.
const MaxMessage = 1 << 20

var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "security", "console", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Parse reads one message. Nothing is refused: what has no form of syslog is a
// line of text. now gives the year that RFC 3164 leaves out, and zone what its
// times are in.
func Parse(text string, now time.Time, zone *time.Location) record.Record {
	text = strings.TrimRight(text, "\r\n\x00")
	r := record.Record{}
	rest := text
	if facility, severity, behind, ok := priority(text); ok {
		r.Level = record.SyslogLevel(severity)
		r.Fields = append(r.Fields, record.Field{Name: "facility", Value: facilities[facility]})
		rest = behind
	}
	p := parser{record: &r, labels: map[string]string{"source": "syslog"}}
	if behind, ok := strings.CutPrefix(rest, "1 "); !ok || !p.modern(behind) {
		p.old(rest, now, zone)
	}
	r.Message = strings.ToValidUTF8(r.Message, "�")
	r.Stream = record.MakeLabels(p.labels)
	r.Fields = record.SortFields(r.Fields)
	return r
}

// priority reads <34>.
func priority(text string) (facility, severity int, rest string, ok bool) {
	if !strings.HasPrefix(text, "<") {
		return 0, 0, text, false
	}
	digits, rest, ok := strings.Cut(text[1:], ">")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || len(digits) > 3 || n < 0 || n >= len(facilities)*8 {
		return 0, 0, text, false
	}
	return n / 8, n % 8, rest, true
}

type parser struct {
	record *record.Record
	labels map[string]string
}

func (p *parser) field(name, value string) {
	if value != "" && len(p.record.Fields) < record.DefaultLimits.Fields {
		p.record.Fields = append(p.record.Fields, record.Field{Name: name, Value: strings.ToValidUTF8(value, "�")})
	}
}

func (p *parser) label(name, value string) {
	if value != "" && len(value) <= 255 {
		p.labels[name] = strings.ToValidUTF8(value, "�")
	}
}

// modern reads what follows the version of RFC 5424: TS HOST APP PROCID MSGID SD MSG.
func (p *parser) modern(text string) bool {
	var parts [5]string
	rest := text
	for i := range parts {
		var ok bool
		if parts[i], rest, ok = strings.Cut(rest, " "); !ok && i < 4 {
			return false
		}
		if parts[i] == "-" {
			parts[i] = ""
		}
	}
	if parts[0] != "" {
		t, err := time.Parse(time.RFC3339Nano, parts[0])
		if err != nil {
			return false
		}
		p.record.Time = t.UTC()
	}
	p.label("host", parts[1])
	p.label("service", parts[2])
	p.field("pid", parts[3])
	p.field("msgid", parts[4])
	p.record.Message = strings.TrimPrefix(p.structured(rest), "\ufeff")
	return true
}

// structured reads [id name="value" …]… or -, and gives what follows.
func (p *parser) structured(text string) string {
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		return strings.TrimPrefix(rest, " ")
	}
	rest := text
	for strings.HasPrefix(rest, "[") {
		behind, ok := p.element(rest[1:])
		if !ok {
			return text // no structured data after all: nothing is lost
		}
		rest = behind
	}
	return strings.TrimPrefix(rest, " ")
}

func (p *parser) element(text string) (string, bool) {
	end := strings.IndexAny(text, " ]")
	if end < 1 {
		return "", false
	}
	id, rest := text[:end], text[end:]
	for {
		rest = strings.TrimLeft(rest, " ")
		if behind, ok := strings.CutPrefix(rest, "]"); ok {
			return behind, true
		}
		name, behind, ok := strings.Cut(rest, `="`)
		if !ok || name == "" || strings.ContainsAny(name, ` "]`) {
			return "", false
		}
		value, behind, ok := quoted(behind)
		if !ok {
			return "", false
		}
		p.field(strings.SplitN(id, "@", 2)[0]+"."+name, value)
		rest = behind
	}
}

// quoted reads up to the mark; only \" \\ and \] are escapes.
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.IndexByte(`"\]`, text[i+1]) >= 0:
			i++
			b.WriteByte(text[i])
		case c == '"':
			return b.String(), text[i+1:], true
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// old reads what RFC 3164 describes and what devices make of it: a time in one
// of several forms, perhaps a host, a tag with perhaps a pid, and text.
func (p *parser) old(text string, now time.Time, zone *time.Location) {
	rest, ok := p.oldTime(text, now, zone)
	if !ok {
		p.tag(text)
		return
	}
	host, behind, ok := strings.Cut(rest, " ")
	// A word that ends a tag is no host: some senders leave the host out.
	if ok && !strings.HasSuffix(host, ":") && !strings.Contains(host, "[") {
		p.label("host", host)
		rest = behind
	}
	p.tag(rest)
}

const oldLayout = "Jan _2 15:04:05"

func (p *parser) oldTime(text string, now time.Time, zone *time.Location) (string, bool) {
	text = strings.TrimLeft(text, " *.") // Cisco marks an unsure clock
	if len(text) >= len(oldLayout) {
		if t, err := time.ParseInLocation(oldLayout, text[:len(oldLayout)], zone); err == nil {
			p.record.Time = record.NearestYear(t, now).UTC()
			rest := text[len(oldLayout):]
			if strings.HasPrefix(rest, ".") { // a fraction of a second
				end := 1
				for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
					end++
				}
				if f, err := strconv.ParseFloat("0"+rest[:end], 64); err == nil {
					p.record.Time = p.record.Time.Add(time.Duration(f * float64(time.Second)))
				}
				rest = rest[end:]
			}
			return strings.TrimLeft(strings.TrimPrefix(rest, ":"), " "), true
		}
	}
	first, rest, ok := strings.Cut(text, " ")
	if !ok {
		return text, false
	}
	t, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return text, false
	}
	p.record.Time = t.UTC()
	return rest, true
}

// tag reads name[pid]: in front of the text.
func (p *parser) tag(text string) {
	end := strings.IndexAny(text, ":[ ")
	if end > 0 && end <= 64 && text[end] != ' ' {
		name, rest := text[:end], text[end:]
		if behind, ok := strings.CutPrefix(rest, "["); ok {
			if pid, after, ok := strings.Cut(behind, "]"); ok && len(pid) <= 32 {
				p.field("pid", pid)
				rest = after
			}
		}
		if behind, ok := strings.CutPrefix(rest, ":"); ok {
			p.label("service", name)
			p.record.Message = strings.TrimPrefix(behind, " ")
			return
		}
	}
	p.record.Message = text
}

// Reader takes messages out of a stream. Each message may be counted or end
// with a line; which one its first byte says.
type Reader struct{ b *bufio.Reader }

// NewReader reads from a connection.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReaderSize(r, 64<<10)} }

// ErrFraming says that a count is no number; the connection is of no more use.
var ErrFraming = errors.New("the framing is neither octet counting nor lines")

// Buffered says whether a whole message may be at hand already.
func (r *Reader) Buffered() bool { return r.b.Buffered() > 0 }

// Next is the next message; io.EOF at the end of the stream.
func (r *Reader) Next() (string, error) {
	for {
		first, err := r.b.ReadByte()
		if err != nil {
			return "", err
		}
		switch {
		case first == '\n' || first == '\r' || first == 0 || first == ' ':
			continue
		case first >= '1' && first <= '9':
			if err := r.b.UnreadByte(); err != nil {
				return "", err
			}
			if counted, err := r.counts(); err != nil {
				return "", err
			} else if counted {
				return r.counted()
			}
			return r.line()
		}
		if err := r.b.UnreadByte(); err != nil {
			return "", err
		}
		return r.line()
	}
}

// counts looks for digits and a space: a line of text may begin with a digit too.
func (r *Reader) counts() (bool, error) {
	for n := 1; n <= 8; n++ {
		head, err := r.b.Peek(n)
		if len(head) < n {
			if err == io.EOF {
				return false, nil
			}
			return false, err
		}
		switch c := head[n-1]; {
		case c == ' ':
			return n > 1, nil
		case c < '0' || c > '9':
			return false, nil
		}
	}
	return false, nil
}

func (r *Reader) counted() (string, error) {
	digits, err := r.b.ReadString(' ')
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(digits, " "))
	if err != nil || n <= 0 {
		return "", fmt.Errorf("%w: %.20q", ErrFraming, digits)
	}
	kept := min(n, MaxMessage)
	buf := make([]byte, kept)
	if _, err := io.ReadFull(r.b, buf); err != nil {
		return "", err
	}
	_, err = r.b.Discard(n - kept)
	return string(buf), err
}

func (r *Reader) line() (string, error) {
	var line []byte
	for {
		part, err := r.b.ReadSlice('\n')
		if room := MaxMessage - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == io.EOF && len(line) > 0 {
			err = nil
		}
		// Some senders end a message with a zero byte instead.
		return strings.TrimRight(string(line), "\x00\r\n"), err
	}
}
