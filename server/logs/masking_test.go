package logs

import (
	"net/http"
	"strings"
	"testing"
)

func TestMasking(t *testing.T) {
	t.Parallel()
	w := setupRows(t)
	const path = "/api/v1/logs/masking"
	line := `{"msg":"login of user-17 with password=hunter2","card":"4111111111111111"}`
	send := func(token string) {
		t.Helper()
		if status, text := w.call("POST", "/insert/jsonline", line, token); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	send(red)
	if found := w.search(red, "login").Lines; len(found) != 1 || found[0].Message != "login of user-17 with password=[masked]" || found[0].Fields[0].Value != "[masked]" {
		t.Errorf("%+v", found)
	}
	rules := `{"team":"reds","rules":{"secrets":false,"cards":false,"keys":[],"patterns":["user-\\d+"]}}`
	tests := []struct {
		name, method, path, body, token string
		status                          int
		want                            string
	}{
		{"what holds from the start", "GET", path + "?team=reds", "", reader, 200, `"rules":{"secrets":true,"cards":true,"keys":[],"patterns":[]},"updated_by":""`},
		{"another team's", "GET", path + "?team=reds", "", blue, 404, ""},
		{"a change by who may only read", "PUT", path, rules, reader, 403, ""},
		{"a change of another team's", "PUT", path, rules, blue, 404, ""},
		{"a bad expression", "PUT", path, `{"team":"reds","rules":{"patterns":["("]}}`, red, 400, `"field":"patterns"`},
		{"a trial on the newest lines", "POST", path + "/preview", rules, reader, 200, `{"looked":1,"changed":1,"lines":[{"before":"login of user-17 with password=[masked] card=[masked]","after":"login of [masked] with password=[masked] card=[masked]"}]}`},
		{"a trial on lines", "POST", path + "/preview", `{"team":"reds","rules":{"cards":true},"lines":["a 4111111111111111","b","{\"msg\":\"m\",\"n\":5555555555554444}"]}`, reader, 200,
			`{"looked":3,"changed":2,"lines":[{"before":"a 4111111111111111","after":"a [masked]"},{"before":"m n=5555555555554444","after":"m n=[masked]"}]}`},
		{"a change", "PUT", path, rules, red, 200, `"updated_by":"red"`},
	}
	for _, test := range tests {
		if status, text := w.call(test.method, test.path, test.body, test.token, isJSON); status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
	send(red)
	send(blue)
	if found := w.search(red, "hunter2").Lines; len(found) != 1 || !strings.Contains(found[0].Message, "login of [masked] with password=hunter2") {
		t.Errorf("after the change: %+v", found)
	}
	if n := len(w.search(blue, "hunter2").Lines); n != 0 {
		t.Error("the rules of one team hold for another")
	}
}
