package grpc

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// ContentType is what requests and answers are called; "+proto" may follow.
const ContentType = "application/grpc"

// Code is how a call ended, as the protocol numbers it.
type Code int

// The codes that intake ends with.
const (
	OK                Code = 0
	InvalidArgument   Code = 3
	PermissionDenied  Code = 7
	ResourceExhausted Code = 8
	Unimplemented     Code = 12
	Internal          Code = 13
	Unavailable       Code = 14
	Unauthenticated   Code = 16
)

// Errors of ReadMessage.
var (
	ErrTooLarge  = errors.New("the message is larger than allowed")
	ErrMalformed = errors.New("the body is no gRPC message")
)

const headerSize = 5

// ReadMessage reads the one message of a unary call. compressed says that it is, by what
// the header grpc-encoding names. grow is asked for room before bytes are held.
func ReadMessage(r io.Reader, limit int64, grow func(n int64) error) (message []byte, compressed bool, err error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, false, fmt.Errorf("%w: it ends before its length (%w)", ErrMalformed, err)
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	switch {
	case head[0] > 1:
		return nil, false, fmt.Errorf("%w: its first byte is %d", ErrMalformed, head[0])
	case size > limit:
		return nil, false, ErrTooLarge
	}
	const step = 64 << 10 // what is announced is believed as it comes
	for int64(len(message)) < size {
		n := int(min(size-int64(len(message)), step))
		if err := grow(int64(n)); err != nil {
			return nil, false, err
		}
		at := len(message)
		message = append(message, make([]byte, n)...)
		if _, err := io.ReadFull(r, message[at:]); err != nil {
			return nil, false, fmt.Errorf("%w: it ends before its end (%w)", ErrMalformed, err)
		}
	}
	if n, err := r.Read(head[:1]); n > 0 {
		return nil, false, fmt.Errorf("%w: a second message follows", ErrMalformed)
	} else if err != nil && err != io.EOF {
		return nil, false, err
	}
	return message, head[0] == 1, nil
}

// Frame is a message as it travels, not compressed.
func Frame(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 1, headerSize+len(message)), uint32(len(message))), message...)
}

// WriteAnswer ends a call well.
func WriteAnswer(w http.ResponseWriter, message []byte) error {
	w.Header().Set("Content-Type", ContentType)
	w.Header().Set("Trailer", "Grpc-Status")
	_, err := w.Write(Frame(message))
	w.Header().Set("Grpc-Status", "0")
	return err
}

// WriteStatus ends a call with an error. retry is after how many seconds the client is
// to try again; 0 says nothing about it.
func WriteStatus(w http.ResponseWriter, code Code, message string, retry int) {
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Grpc-Status", strconv.Itoa(int(code)))
	h.Set("Grpc-Message", escape(message))
	if retry > 0 {
		h.Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details(code, message, retry)))
	}
	w.WriteHeader(http.StatusOK)
}

// details is a google.rpc.Status with a google.rpc.RetryInfo: without it some clients
// give up on what they may send again.
func details(code Code, message string, retry int) []byte {
	delay := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(retry))
	info := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), delay)
	any := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "type.googleapis.com/google.rpc.RetryInfo")
	any = protowire.AppendBytes(protowire.AppendTag(any, 2, protowire.BytesType), info)
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(code))
	out = protowire.AppendString(protowire.AppendTag(out, 2, protowire.BytesType), strings.ToValidUTF8(message, "?"))
	return protowire.AppendBytes(protowire.AppendTag(out, 3, protowire.BytesType), any)
}

// escape writes what headers cannot hold as the protocol wants it: %XX for each byte
// that is not printable ASCII, and for the percent sign.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
