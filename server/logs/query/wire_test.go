package query

import (
	"reflect"
	"testing"
)

// TestWire: what one server sends, another one reads as the same condition.
func TestWire(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "error", `"connection refused" service:api -host:web1 duration:>1.5s`, "/re+/i (a or b*) status:[1..2] x:(a,b)", "level:>=error not (x:* or host:web*)", `message:"a b" trace_id:abc`} {
		q, err := Parse(text)
		if err != nil {
			t.Fatal(text, err)
		}
		raw, err := MarshalExpr(q.Filter)
		if err != nil {
			t.Fatal(text, err)
		}
		back, err := UnmarshalExpr(raw)
		if err != nil || !reflect.DeepEqual(back, q.Filter) {
			t.Errorf("%s: %#v comes back as %#v, %v", text, q.Filter, back, err)
		}
	}
	for _, raw := range []string{"{}", `{"regexp":{"Re":"("}}`, `{"not":{}}`, `{"compare":{"Op":">","Value":"x"}}`, "["} {
		if e, err := UnmarshalExpr([]byte(raw)); err == nil {
			t.Errorf("%s is read as %#v", raw, e)
		}
	}
}

// FuzzUnmarshalExpr: whatever another server sends makes no panic.
func FuzzUnmarshalExpr(f *testing.F) {
	f.Add([]byte(`{"and":[{"text":{"Text":"a"}},{"or":[{"compare":{"Field":"x","Op":"=","Value":"y*"}}]}]}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		e, err := UnmarshalExpr(raw)
		if err == nil {
			NewPlan(&Query{Filter: e}, nil).Match(line())
		}
	})
}
