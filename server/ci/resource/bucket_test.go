package resource

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type storedObject struct {
	id, data, etag string
	header         http.Header
	deleted        bool
}

// fakeBucket is as much of S3 as the types use: two names a page, versions, conditional
// writes, and misbehaviour on demand.
type fakeBucket struct {
	*fakeService
	versioned     bool
	objects       map[string][]storedObject // oldest first
	lies          int                       // that many reads give wrong content
	fails         int                       // that many requests get 503 with Retry-After
	swallowed     int                       // that many writes are done and answered with 500
	beforePut     func()
	unconditional bool // refuses conditions
}

func newFakeBucket(t *testing.T) *fakeBucket {
	b := &fakeBucket{objects: map[string][]storedObject{}}
	b.fakeService = newFakeService(t, func(w http.ResponseWriter, r *http.Request) { b.serve(t, w, r) })
	return b
}

func (b *fakeBucket) add(key, data string) {
	sum := md5.Sum([]byte(data))
	b.objects[key] = append(b.objects[key], storedObject{id: fmt.Sprintf("v%d", len(b.objects[key])+1), data: data, etag: hex.EncodeToString(sum[:]), header: http.Header{}})
}

func (b *fakeBucket) source(more map[string]any) map[string]any {
	source := map[string]any{"bucket": "things", "endpoint": b.URL, "access_key_id": "AKIA", "secret_access_key": "very-secret"}
	maps.Copy(source, more)
	return source
}

func s3Refusal(t *testing.T, w http.ResponseWriter, status int, code string) {
	t.Helper()
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	say(t, w, "<Error><Code>"+code+"</Code><Message>the words of "+code+"</Message></Error>")
}

func (b *fakeBucket) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key, ok := strings.CutPrefix(r.URL.Path, "/things/")
	query := r.URL.Query()
	switch {
	case b.fails > 0:
		b.fails--
		w.Header().Set("Retry-After", "2")
		s3Refusal(t, w, 503, "SlowDown")
	case !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIA/"):
		s3Refusal(t, w, 403, "InvalidAccessKeyId")
	case !ok:
		s3Refusal(t, w, 404, "NoSuchBucket")
	case query.Has("versions"):
		b.listVersions(t, w, query.Get("prefix"))
	case key == "":
		b.list(t, w, query.Get("prefix"), query.Get("continuation-token"))
	case r.Method == "PUT":
		b.write(t, w, r, key)
	default:
		b.read(t, w, r, key, query.Get("versionId"))
	}
}

func (b *fakeBucket) list(t *testing.T, w http.ResponseWriter, prefix, token string) {
	type item struct {
		Key, ETag string
		Size      int
	}
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Name                  string
		IsTruncated           bool
		NextContinuationToken string
		Contents              []item
	}{Name: "things"}
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if strings.HasPrefix(key, prefix) && key > token {
			if len(out.Contents) == 2 {
				out.IsTruncated, out.NextContinuationToken = true, out.Contents[1].Key
				break
			}
			out.Contents = append(out.Contents, item{Key: key})
		}
	}
	if err := xml.NewEncoder(w).Encode(out); err != nil {
		t.Error(err)
	}
}

func (b *fakeBucket) listVersions(t *testing.T, w http.ResponseWriter, prefix string) {
	say(t, w, "<ListVersionsResult><Name>things</Name>")
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		for _, o := range slices.Backward(b.objects[key]) {
			id, kind := o.id, "Version"
			if !b.versioned {
				id = "null"
			}
			if o.deleted {
				kind = "DeleteMarker"
			}
			say(t, w, fmt.Sprintf("<%s><Key>%s</Key><VersionId>%s</VersionId><LastModified>2026-01-02T03:04:05Z</LastModified></%s>", kind, key, id, kind))
		}
	}
	say(t, w, "</ListVersionsResult>")
}

func (b *fakeBucket) read(t *testing.T, w http.ResponseWriter, r *http.Request, key, id string) {
	list := b.objects[key]
	at := len(list) - 1
	if id != "" {
		at = slices.IndexFunc(list, func(o storedObject) bool { return o.id == id })
	}
	if at < 0 || list[at].deleted {
		s3Refusal(t, w, 404, "NoSuchKey")
		return
	}
	o := list[at]
	maps.Copy(w.Header(), o.header)
	w.Header().Set("ETag", `"`+o.etag+`"`)
	w.Header().Set("Last-Modified", epoch.Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(o.data)))
	if b.versioned {
		w.Header().Set("X-Amz-Version-Id", o.id)
	}
	if r.Method == "HEAD" {
		return
	}
	if b.lies > 0 {
		b.lies--
		o.data = strings.Repeat("x", len(o.data))
	}
	say(t, w, o.data)
}

func (b *fakeBucket) write(t *testing.T, w http.ResponseWriter, r *http.Request, key string) {
	if b.beforePut != nil {
		before := b.beforePut
		b.beforePut = nil
		before()
	}
	list := b.objects[key]
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case b.unconditional && match+none != "":
		s3Refusal(t, w, 501, "NotImplemented")
		return
	case none == "*" && len(list) > 0, match != "" && (len(list) == 0 || match != `"`+list[len(list)-1].etag+`"`):
		s3Refusal(t, w, 412, "PreconditionFailed")
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	text := string(data)
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		text = unchunk(t, text)
	}
	b.add(key, text)
	o := &b.objects[key][len(list)]
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Amz-Meta-") || name == "X-Amz-Acl" || name == "Content-Type" || strings.HasPrefix(name, "X-Amz-Server-Side") {
			o.header[name] = values
		}
	}
	if b.swallowed > 0 {
		b.swallowed--
		s3Refusal(t, w, 500, "InternalError")
		return
	}
	w.Header().Set("ETag", `"`+o.etag+`"`)
	if b.versioned {
		w.Header().Set("X-Amz-Version-Id", o.id)
	}
}

// unchunk reads what a client signs in pieces.
func unchunk(t *testing.T, text string) string {
	var out strings.Builder
	in := bufio.NewReader(strings.NewReader(text))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Error(err)
			return ""
		}
		length, err := strconv.ParseInt(strings.TrimSpace(strings.Split(line, ";")[0]), 16, 64)
		if err != nil {
			t.Error(err)
			return ""
		}
		if length == 0 {
			return out.String()
		}
		if _, err := io.CopyN(&out, in, length); err != nil {
			t.Error(err)
		}
		if _, err := in.Discard(2); err != nil {
			t.Error(err)
		}
	}
}
