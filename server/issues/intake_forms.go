package issues

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

const (
	// maxReport bounds a browser's report, maxReports how many come at once.
	maxReport  = 64 << 10
	maxReports = 20
	// maxFields bounds a minidump's form fields together.
	maxFields = 1 << 20
	maxFiles  = 20
)

// takeSecurity keeps what browsers report by themselves: one report, or a list.
func (s *Service) takeSecurity(ctx context.Context, src source, body io.Reader) (receipt, error) {
	from, err := s.identify(ctx, src, "")
	if err != nil {
		return receipt{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxReport+1))
	switch {
	case err != nil:
		return receipt{}, s.unreadable(from, err)
	case len(raw) > maxReport:
		return receipt{}, s.unreadable(from, sentry.ErrTooLarge)
	}
	list := []json.RawMessage{raw}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return receipt{}, s.unreadable(from, &sentry.MalformedError{Reason: "the list of reports is not JSON"})
		}
		list = list[:min(len(list), maxReports)]
	}
	var last receipt
	kept := false
	for _, report := range list {
		if events, err := sentry.ParseSecurity(report, s.Now()); err != nil || len(events) == 0 {
			continue // browsers put reports of other kinds into the same list
		}
		envelope := sentry.Envelope{Items: []sentry.Item{{Type: "security", Payload: report}}}
		envelope.Header.EventID = plainID(s.NewID())
		if last, err = s.accept(ctx, from, envelope); err != nil {
			return receipt{}, err
		}
		kept = true
	}
	if !kept {
		return receipt{}, s.unreadable(from, &sentry.MalformedError{Reason: "this is no security report"})
	}
	return last, nil
}

// takeMinidump keeps a crash's memory image and what was sent with it.
func (s *Service) takeMinidump(ctx context.Context, src source, contentType string, body io.Reader) (receipt, error) {
	from, err := s.identify(ctx, src, "")
	if err != nil {
		return receipt{}, err
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(kind, "multipart/") || params["boundary"] == "" {
		return receipt{}, s.unreadable(from, &sentry.MalformedError{Reason: "the body is no multipart form"})
	}
	fields, files, err := s.readForm(multipart.NewReader(body, params["boundary"]))
	if err != nil {
		return receipt{}, s.unreadable(from, err)
	}
	found := false
	for _, f := range files {
		found = found || f.AttachmentType == "event.minidump" && bytes.HasPrefix(f.Payload, []byte("MDMP"))
	}
	if !found {
		return receipt{}, s.unreadable(from, &sentry.MalformedError{Reason: "there is no minidump in the field upload_file_minidump"})
	}
	envelope := sentry.Envelope{Items: append([]sentry.Item{{Type: "event", Payload: sentry.MinidumpEvent(fields)}}, files...)}
	return s.accept(ctx, from, envelope)
}

func (s *Service) readForm(form *multipart.Reader) (fields map[string][]string, files []sentry.Item, err error) {
	fields = map[string][]string{}
	var fieldBytes, fileBytes int64
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, files, nil
		}
		if err != nil {
			return nil, nil, explainPart(err)
		}
		name, filename := part.FormName(), part.FileName()
		limit := maxFields - fieldBytes
		if filename != "" {
			limit = s.Limits.Attachment - fileBytes
		}
		content, err := io.ReadAll(io.LimitReader(part, limit+1))
		switch {
		case err != nil:
			return nil, nil, explainPart(err)
		case int64(len(content)) > limit, len(files) >= maxFiles:
			return nil, nil, sentry.ErrTooLarge
		case filename == "":
			fieldBytes += int64(len(content) + len(name))
			fields[name] = append(fields[name], string(content))
			continue
		}
		fileBytes += int64(len(content))
		item := sentry.Item{Type: "attachment", Filename: filename, ContentType: part.Header.Get("Content-Type"), AttachmentType: "event.attachment", Payload: content}
		if name == "upload_file_minidump" {
			item.AttachmentType = "event.minidump"
		}
		files = append(files, item)
	}
}

// explainPart keeps apart what is the form's fault and what is the body's.
func explainPart(err error) error {
	var busy *memoryError
	var tooLarge *http.MaxBytesError
	if errors.As(err, &busy) || errors.As(err, &tooLarge) || errors.Is(err, sentry.ErrTooLarge) {
		return err
	}
	return &sentry.MalformedError{Reason: "the form is cut off or malformed"}
}

var validMonitor = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// takeCheckIn keeps a check-in given by an address and its query; a body may
// hold the monitor's configuration.
func (s *Service) takeCheckIn(ctx context.Context, src source, slug string, body io.Reader) (receipt, error) {
	from, err := s.identify(ctx, src, "")
	if err != nil {
		return receipt{}, err
	}
	malformed := func(reason string) error { return s.unreadable(from, &sentry.MalformedError{Reason: reason}) }
	if !validMonitor.MatchString(slug) {
		return receipt{}, malformed("a monitor is named by letters, digits, _, . and -")
	}
	raw, err := io.ReadAll(io.LimitReader(body, s.Limits.CheckIn+1))
	switch {
	case err != nil:
		return receipt{}, s.unreadable(from, err)
	case int64(len(raw)) > s.Limits.CheckIn:
		return receipt{}, s.unreadable(from, sentry.ErrTooLarge)
	}
	checkIn := map[string]any{}
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &checkIn); err != nil || checkIn == nil {
			return receipt{}, malformed("the body is no JSON object")
		}
	}
	for name, values := range src.query {
		switch name {
		case "status", "environment", "release":
			checkIn[name] = values[0]
		case "check_in_id":
			checkIn[name] = plainID(values[0])
		case "duration":
			if seconds, err := strconv.ParseFloat(values[0], 64); err == nil && seconds >= 0 {
				checkIn[name] = seconds
			}
		}
	}
	checkIn["monitor_slug"] = slug
	switch status, _ := checkIn["status"].(string); status {
	case "":
		checkIn["status"] = "ok" // a plain GET says that the job has run
	case "ok", "error", "in_progress":
	default:
		return receipt{}, malformed("status is none of ok, error and in_progress")
	}
	id, _ := checkIn["check_in_id"].(string)
	if id = plainID(id); id == "" {
		id = plainID(s.NewID())
		if checkIn["status"] == "in_progress" {
			checkIn["check_in_id"] = id // the caller may name it when the job ends
		}
	}
	payload, err := json.Marshal(checkIn)
	if err != nil {
		return receipt{}, err
	}
	envelope := sentry.Envelope{Items: []sentry.Item{{Type: "check_in", Payload: payload}}}
	envelope.Header.EventID = id
	return s.accept(ctx, from, envelope)
}
