package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

var options = Options{Actions: 10, Line: 200}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		o          Options
		want       string
	}{
		{"create with blank lines, as rsyslog sends", "{\"create\":{\"_index\":\"logs\",\"_id\":\"1\"}}\n{\"message\":\"a\",\"host\":{\"name\":\"h\"}}\n\n{\"index\":{}}\n{\"message\":\"b\"}", Options{Index: "x", Actions: 10, Line: 200},
			`create logs 1 201 |index x  201 |{host="h", index="logs"} [{message a 0}]|{index="x"} [{message b 0}]`},
		{"update and delete", "{\"delete\":{\"_id\":\"1\"}}\n{\"update\":{}}\n{\"doc\":{}}\n{\"create\":{}}\n{\"a\":1}\n", options,
			`delete  1 400 lines are never deleted or changed|update   400 lines are never deleted or changed|create   201 |{} [{a 1 1}]`},
		{"a bad document", "{\"create\":{}}\n[1]\n{\"create\":{}}\n{\"a\":\"" + strings.Repeat("x", 200) + "\"}\n", options,
			`create   400 the document is no JSON object|create   400 the document is longer than 200 bytes`},
		{"named parts", "{\"create\":{}}\n{\"m\":\"a\",\"zone\":\"z\"}\n", Options{Message: "m", Stream: []string{"zone"}, Actions: 10, Line: 200}, `create   201 |{zone="z"} []`},
		{"nothing", "\n\n", options, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, err := Read([]byte(test.body), test.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range b.Items {
				got = append(got, fmt.Sprintf("%s %s %s %d %s", i.Action, i.Index, i.ID, i.Status, i.Reason))
			}
			for _, r := range b.Records {
				got = append(got, fmt.Sprintf("%s %v", r.Stream.Key(), r.Fields))
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), test.want)
			}
		})
	}
	for _, bad := range []string{"hello\n", "{}\n{}\n", `{"create":{},"index":{}}` + "\n", `{"drop":{}}` + "\n", "{\"create\":{}}\n", `{"create":5}` + "\n{}", strings.Repeat("{\"delete\":{}}\n", 11)} {
		if _, err := Read([]byte(bad), options); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := Write(&out, []Item{{Action: "create", Index: "x", ID: "1", Status: 201}}, 3); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), `{"took":3,"errors":false,"items":[{"create":{"_index":"x","_id":"1","status":201`) {
		t.Error(out.String())
	}
	out.Reset()
	if err := Write(&out, []Item{{Action: "index", Status: 400, Type: "t", Reason: `"r"`}}, 0); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  struct{ Reason string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || !answer.Errors || answer.Items[0]["index"].Error.Reason != `"r"` {
		t.Errorf("%v %s", err, out.String())
	}
	for path, text := range Fixed {
		if !json.Valid([]byte(text)) {
			t.Errorf("%s is no JSON", path)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"create\":{\"_index\":\"logs\",\"_id\":\"1\"}}\n{\"message\":\"a\",\"host\":{\"name\":\"h\"}}\n\n{\"delete\":{}}\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Read(body, options)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, b.Items, 0); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("%v %q", err, out.String())
		}
	})
}
