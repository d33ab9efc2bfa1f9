package sentry

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/signalbox/signalbox/server/platform/content"
)

// lineReaders are used again: nothing of an envelope points into them.
var lineReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}

// ReadEnvelope reads a whole envelope. An item above its own limit is kept
// without payload (Item.TooLarge); a body above l.Decoded is ErrTooLarge;
// broken framing is a *MalformedError.
func ReadEnvelope(r io.Reader, l Limits) (Envelope, error) {
	plain, err := content.Decode(r, "identity", l.Decoded)
	if err != nil {
		return Envelope{}, err
	}
	b := lineReaders.Get().(*bufio.Reader)
	b.Reset(plain)
	defer func() {
		b.Reset(nil) // what it held may be large, and is the caller's
		lineReaders.Put(b)
	}()
	e := envelopeReader{b: b, l: l}
	env, err := e.read()
	if err != nil {
		return Envelope{}, err
	}
	return env, nil
}

type envelopeReader struct {
	b           *bufio.Reader
	l           Limits
	line        int
	attachments int64
	sessions    int
}

func (e *envelopeReader) read() (Envelope, error) {
	head, err := e.headerLine()
	if err != nil {
		if err == io.EOF {
			return Envelope{}, e.malformed("the envelope is empty")
		}
		return Envelope{}, err
	}
	var env Envelope
	if env.Header, err = parseEnvelopeHeader(head); err != nil {
		return env, e.malformed("the envelope's header is not a JSON object")
	}
	for {
		line, err := e.headerLine()
		if err == io.EOF {
			return env, nil
		}
		if err != nil {
			return env, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue // one more newline than needed, or several, at the end
		}
		if len(env.Items) >= e.l.Items {
			return env, e.malformed("the envelope has too many items")
		}
		item, err := e.item(line)
		if err != nil {
			return env, err
		}
		if item.Type == "session" {
			if e.sessions++; e.sessions > e.l.Sessions {
				item.Payload, item.TooLarge = nil, true
			}
		}
		env.Items = append(env.Items, item)
	}
}

func (e *envelopeReader) malformed(reason string) error {
	return &MalformedError{Reason: reason, Line: e.line}
}

// headerLine reads up to the next newline, which it drops; io.EOF only when
// nothing is left.
func (e *envelopeReader) headerLine() ([]byte, error) {
	e.line++
	var line []byte
	for {
		part, err := e.b.ReadSlice('\n')
		if int64(len(line)+len(part)) > e.l.HeaderLine+1 {
			return nil, e.malformed("a header line is too long")
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) > 0:
			return line, nil
		default:
			return nil, err
		}
	}
}

func (e *envelopeReader) item(line []byte) (Item, error) {
	item, length, err := parseItemHeader(line)
	if err != nil {
		return item, e.malformed("an item's header is not a JSON object")
	}
	if item.Type == "" {
		return item, e.malformed("an item's header names no type")
	}
	limit := e.limit(item.Type)
	if length < 0 {
		err = e.payloadLine(&item, limit)
	} else {
		err = e.payload(&item, length, limit)
	}
	if !Known(item.Type) {
		item.TooLarge = false // it was not kept because nobody wants it
	}
	if item.Type == "attachment" {
		e.attachments += int64(len(item.Payload))
	}
	return item, err
}

// limit is what the payload of an item of this type may be.
func (e *envelopeReader) limit(itemType string) int64 {
	switch {
	case itemType == "attachment":
		return e.l.Attachment - e.attachments
	case itemType == "check_in":
		return e.l.CheckIn
	case !Known(itemType):
		return 0 // dropped in any case: read over it without keeping it
	}
	return e.l.Event
}

// payload reads exactly length bytes and the newline behind them.
func (e *envelopeReader) payload(item *Item, length, limit int64) error {
	item.Size = length
	if length > limit {
		item.TooLarge = true
		if _, err := io.CopyN(io.Discard, e.b, length); err != nil {
			return e.short(err)
		}
	} else {
		var err error
		if item.Payload, err = e.exactly(length); err != nil {
			return e.short(err)
		}
		e.line += bytes.Count(item.Payload, []byte{'\n'})
	}
	e.line++
	c, err := e.b.ReadByte()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	if c != '\n' {
		return e.malformed("an item is longer than its header says")
	}
	return nil
}

// exactly reads so many bytes. It makes room as they come, because the length is
// only a claim, and in few steps, because each needs the old room beside the new.
func (e *envelopeReader) exactly(length int64) ([]byte, error) {
	buf := make([]byte, 0, min(length, 64<<10))
	for {
		n, err := io.ReadFull(e.b, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil || int64(len(buf)) == length {
			return buf, err
		}
		buf = append(make([]byte, 0, min(length, 4*int64(cap(buf)))), buf...)
	}
}

func (e *envelopeReader) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return e.malformed("an item is shorter than its header says")
	}
	return err
}

// payloadLine reads a payload without a length: up to the next newline.
func (e *envelopeReader) payloadLine(item *Item, limit int64) error {
	e.line++
	var buf []byte
	for {
		part, err := e.b.ReadSlice('\n')
		item.Size += int64(len(part))
		done := err == nil
		if done {
			part = part[:len(part)-1]
			item.Size--
		}
		if item.Size > limit {
			item.TooLarge, buf = true, nil
		} else {
			buf = append(buf, part...)
		}
		switch {
		case done, err == io.EOF:
			item.Payload = buf
			return nil
		case err != bufio.ErrBufferFull:
			return err
		}
	}
}

func parseEnvelopeHeader(line []byte) (EnvelopeHeader, error) {
	r := &reader{s: string(line)}
	var h EnvelopeHeader
	if r.peek() != '{' {
		return h, errNoObject
	}
	r.open('{')
	for r.key() {
		switch r.k {
		case "event_id":
			h.EventID = normalID(r.text(64))
		case "dsn":
			h.DSN = r.text(2048)
		case "sdk":
			h.SDK = r.sdk()
		case "sent_at":
			h.SentAt = r.when()
		case "trace":
			h.Trace = map[string]string{}
			for _, p := range r.pairs(maxPairs, maxShort, maxShort) {
				h.Trace[p.Key] = p.Value
			}
		default:
			r.skip()
		}
	}
	return h, r.end()
}

func parseItemHeader(line []byte) (Item, int64, error) {
	r := &reader{s: string(line)}
	var item Item
	length := int64(-1)
	if r.peek() != '{' {
		return item, 0, errNoObject
	}
	r.open('{')
	for r.key() {
		switch r.k {
		case "type":
			item.Type = r.text(64)
		case "length":
			if c := r.peek(); c == 'n' {
				r.skip()
			} else {
				length = max(r.integer(), 0)
			}
		case "content_type":
			item.ContentType = r.short()
		case "filename":
			item.Filename = r.short()
		case "attachment_type":
			item.AttachmentType = r.short()
		case "item_count":
			item.Count = r.count()
		default:
			r.skip()
		}
	}
	return item, length, r.end()
}

var errNoObject = &MalformedError{Reason: "the JSON is not an object"}

// end says whether everything was read and nothing is left over.
func (r *reader) end() error {
	if r.bad == nil && r.peek() != 0 {
		r.fail("something follows the JSON")
	}
	if r.bad != nil {
		return r.bad
	}
	return nil
}

// maxStore bounds what a base64 body may inflate to; it is an event.
const maxStore = 4 << 20

// ReadStore reads the body of the old store endpoint: one JSON event, or its
// base64 form (plain or zlib) that very old clients send. The result is an
// envelope with one item.
func ReadStore(body []byte) (Envelope, error) {
	body = bytes.TrimSpace(body)
	if len(body) > 0 && body[0] != '{' {
		decoded, err := decodeOldStore(body)
		if err != nil {
			return Envelope{}, err
		}
		body = decoded
	}
	r := &reader{s: string(body)}
	if r.peek() != '{' {
		return Envelope{}, &MalformedError{Reason: "the body is not a JSON object", Line: 1}
	}
	env := Envelope{Items: []Item{{Type: "event", ContentType: "application/json", Payload: body, Size: int64(len(body))}}}
	r.open('{')
	for r.key() {
		switch r.k {
		case "event_id":
			env.Header.EventID = normalID(r.text(64))
		case "sdk":
			env.Header.SDK = r.sdk()
		case "type":
			if r.text(32) == TypeTransaction {
				env.Items[0].Type = "transaction"
			}
		default:
			r.skip()
		}
	}
	return env, r.end()
}

func decodeOldStore(body []byte) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimRight(string(body), "\r\n"))
	if err != nil {
		return nil, &MalformedError{Reason: "the body is neither JSON nor base64", Line: 1}
	}
	if len(raw) > 0 && raw[0] == '{' {
		return raw, nil
	}
	z, err := content.Decode(bytes.NewReader(raw), "deflate", maxStore)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return bytes.TrimSpace(out), nil
}
