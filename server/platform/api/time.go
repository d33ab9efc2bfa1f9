package api

import (
	"bytes"
	"encoding/json"
	"time"
)

// Millis is a time as rows keep it, in Unix milliseconds, and as our own API
// shows it, in RFC 3339. Zero means never; give such fields `omitzero`.
type Millis int64

// MarshalJSON writes RFC 3339 in UTC; null for zero.
func (m Millis) MarshalJSON() ([]byte, error) {
	if m == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(time.UnixMilli(int64(m)).UTC())
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Millis) UnmarshalJSON(raw []byte) error {
	if bytes.Equal(raw, []byte("null")) {
		*m = 0
		return nil
	}
	var t time.Time
	err := json.Unmarshal(raw, &t)
	*m = Millis(t.UnixMilli())
	return err
}
