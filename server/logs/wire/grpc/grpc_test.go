package grpc

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

func room(int64) error { return nil }

func TestReadMessage(t *testing.T) {
	t.Parallel()
	noRoom := errors.New("no room")
	tests := []struct {
		name, body, message string
		compressed          bool
		grow                func(int64) error
		err                 error
	}{
		{"empty", "\x00\x00\x00\x00\x00", "", false, room, nil},
		{"plain", "\x00\x00\x00\x00\x02hi", "hi", false, room, nil},
		{"compressed", "\x01\x00\x00\x00\x02hi", "hi", true, room, nil},
		{"nothing", "", "", false, room, ErrMalformed},
		{"half a length", "\x00\x00", "", false, room, ErrMalformed},
		{"another flag", "\x02\x00\x00\x00\x00", "", false, room, ErrMalformed},
		{"cut off", "\x00\x00\x00\x00\x05hi", "", false, room, ErrMalformed},
		{"two messages", "\x00\x00\x00\x00\x01a\x00\x00\x00\x00\x01b", "", false, room, ErrMalformed},
		{"too large", "\x00\xff\xff\xff\xff", "", false, room, ErrTooLarge},
		{"no room", "\x00\x00\x00\x00\x02hi", "", false, func(int64) error { return noRoom }, noRoom},
	}
	for _, c := range tests {
		message, compressed, err := ReadMessage(strings.NewReader(c.body), 1000, c.grow)
		if string(message) != c.message || compressed != c.compressed || !errors.Is(err, c.err) {
			t.Errorf("%s: %q %v %v", c.name, message, compressed, err)
		}
	}
}

// TestAnnouncedSize: what a stranger announces is not held before it comes.
func TestAnnouncedSize(t *testing.T) {
	t.Parallel()
	held := int64(0)
	_, _, err := ReadMessage(strings.NewReader("\x00\x0f\xff\xff\xff"+strings.Repeat("x", 100_000)), 1<<30, func(n int64) error { held += n; return nil })
	if !errors.Is(err, ErrMalformed) || held > 200_000 {
		t.Error(held, err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := WriteAnswer(w, []byte("ok")); err != nil {
		t.Fatal(err)
	}
	answer := w.Result()
	if w.Body.String() != "\x00\x00\x00\x00\x02ok" || answer.Trailer.Get("Grpc-Status") != "0" || answer.Header.Get("Content-Type") != "application/grpc" {
		t.Errorf("%q %v %v", w.Body, answer.Header, answer.Trailer)
	}
	w = httptest.NewRecorder()
	WriteStatus(w, ResourceExhausted, "100 % of «it»\n", 7)
	h := w.Result().Header
	if h.Get("Grpc-Status") != "8" || h.Get("Grpc-Message") != "100 %25 of %C2%ABit%C2%BB%0A" || w.Body.Len() != 0 {
		t.Errorf("%v", h)
	}
	// As google.rpc.Status says it: code 8, the message, and a RetryInfo of 7 seconds.
	if got := h.Get("Grpc-Status-Details-Bin"); got != "CAgSEDEwMCAlIG9mIMKraXTCuwoaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBw" {
		t.Error(got)
	}
	w = httptest.NewRecorder()
	WriteStatus(w, Unauthenticated, "no", 0)
	if w.Result().Header.Get("Grpc-Status-Details-Bin") != "" {
		t.Error("details without need")
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x02hi"))
	f.Add([]byte("\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		message, compressed, err := ReadMessage(bytes.NewReader(body), 1<<20, room)
		if err == nil && !compressed && !bytes.Equal(Frame(message), body) {
			t.Errorf("%q became %q", body, message)
		}
	})
}
