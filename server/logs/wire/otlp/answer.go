package otlp

import (
	"encoding/json"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Answer is an ExportLogsServiceResponse; with nothing rejected it is empty.
// message says why records were rejected.
func Answer(asJSON bool, rejected int, message string) []byte {
	if asJSON {
		out := struct {
			Partial *partial `json:"partialSuccess,omitempty"`
		}{}
		if rejected > 0 {
			out.Partial = &partial{strconv.Itoa(rejected), message}
		}
		return marshal(out)
	}
	if rejected == 0 {
		return nil
	}
	var inner []byte
	inner = protowire.AppendVarint(protowire.AppendTag(inner, 1, protowire.VarintType), uint64(rejected))
	inner = protowire.AppendString(protowire.AppendTag(inner, 2, protowire.BytesType), message)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
}

type partial struct {
	Rejected string `json:"rejectedLogRecords"`
	Message  string `json:"errorMessage"`
}

// Code is a code of google.rpc.Status.
type Code int

// The codes that intake answers with.
const (
	InvalidArgument   Code = 3
	PermissionDenied  Code = 7
	ResourceExhausted Code = 8
	Internal          Code = 13
	Unavailable       Code = 14
	Unauthenticated   Code = 16
)

// Status is a google.rpc.Status, the body of every refusal.
func Status(asJSON bool, code Code, message string) []byte {
	if asJSON {
		return marshal(struct {
			Code    Code   `json:"code"`
			Message string `json:"message"`
		}{code, message})
	}
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	return protowire.AppendString(protowire.AppendTag(out, 2, protowire.BytesType), message)
}

func marshal(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil { // cannot be: numbers and strings
		return []byte("{}")
	}
	return raw
}
