package otlp

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/signalbox/signalbox/server/logs/record"
)

type jsonRequest struct {
	ResourceLogs []struct {
		Resource struct {
			Attributes []jsonPair `json:"attributes"`
		} `json:"resource"`
		ScopeLogs []struct {
			Scope struct {
				Name       string     `json:"name"`
				Attributes []jsonPair `json:"attributes"`
			} `json:"scope"`
			// Each record is read by itself, so that an odd one does not take the
			// others with it.
			LogRecords []json.RawMessage `json:"logRecords"`
		} `json:"scopeLogs"`
	} `json:"resourceLogs"`
}

type jsonLine struct {
	Time         number     `json:"timeUnixNano"`
	Observed     number     `json:"observedTimeUnixNano"`
	Severity     number     `json:"severityNumber"`
	SeverityText string     `json:"severityText"`
	Body         jsonValue  `json:"body"`
	Attributes   []jsonPair `json:"attributes"`
	TraceID      string     `json:"traceId"`
	SpanID       string     `json:"spanId"`
	Event        string     `json:"eventName"`
}

type jsonPair struct {
	Key   string    `json:"key"`
	Value jsonValue `json:"value"`
}

type jsonValue struct {
	String *string `json:"stringValue"`
	Bool   *bool   `json:"boolValue"`
	Int    number  `json:"intValue"`
	Double number  `json:"doubleValue"`
	Bytes  *string `json:"bytesValue"`
	Array  *struct {
		Values []jsonValue `json:"values"`
	} `json:"arrayValue"`
	List *struct {
		Values []jsonPair `json:"values"`
	} `json:"kvlistValue"`
}

// number is one that may be written as a string, as 64 bits must be in JSON.
type number string

// UnmarshalJSON takes 5, "5" and null.
func (n *number) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "null" {
		return nil
	}
	if _, err := strconv.ParseFloat(text, 64); err != nil {
		return fmt.Errorf("%.40q is no number", text)
	}
	*n = number(text)
	return nil
}

func (n number) unsigned() uint64 {
	u, _ := strconv.ParseUint(string(n), 10, 64) // 0 is "not given"
	return u
}

// ReadJSON reads an ExportLogsServiceRequest in OTLP's JSON. A record that is odd
// is counted; an error means that the whole body is no such thing.
func ReadJSON(body []byte, l Limits) (Batch, error) {
	var in jsonRequest
	if err := json.Unmarshal(body, &in); err != nil {
		return Batch{}, fmt.Errorf("the body is no export request: %w", err)
	}
	var b Batch
	for _, r := range in.ResourceLogs {
		from := resource(pairs(r.Resource.Attributes, 1))
		for _, s := range r.ScopeLogs {
			o := from.scope(s.Scope.Name, pairs(s.Scope.Attributes, 1))
			for _, raw := range s.LogRecords {
				if len(b.Records) >= l.Lines {
					return b, ErrTooMany
				}
				var j jsonLine
				if json.Unmarshal(raw, &j) != nil {
					b.reject(unreadable)
					continue
				}
				b.add(o, j.line(), l)
			}
		}
	}
	return b, nil
}

func (j jsonLine) line() line {
	severity, _ := strconv.Atoi(string(j.Severity)) // 0 is "not given"
	return line{
		time: j.Time.unsigned(), observed: j.Observed.unsigned(), severity: severity, severityText: j.SeverityText, body: j.Body.value(1), attributes: pairs(j.Attributes, 1),
		trace: identity(j.TraceID, 16), span: identity(j.SpanID, 8), event: j.Event,
	}
}

func pairs(in []jsonPair, depth int) []attribute {
	out := make([]attribute, len(in))
	for i, p := range in {
		out[i] = attribute{p.Key, p.Value.value(depth)}
	}
	return out
}

// value reads as far down as values may be nested; what is below is left out.
func (j jsonValue) value(depth int) value {
	switch {
	case depth > maxDepth:
	case j.String != nil:
		return value{text: *j.String}
	case j.Bool != nil:
		return value{kind: record.Bool, text: strconv.FormatBool(*j.Bool)}
	case j.Int != "":
		return value{kind: record.Number, text: string(j.Int)}
	case j.Double != "":
		return value{kind: record.Number, text: string(j.Double)}
	case j.Bytes != nil:
		return value{text: *j.Bytes}
	case j.Array != nil:
		v := value{shape: array}
		for _, item := range j.Array.Values {
			v.list = append(v.list, item.value(depth+1))
		}
		return v
	case j.List != nil:
		return value{shape: object, pairs: pairs(j.List.Values, depth+1)}
	}
	return value{}
}
