package fluent

import (
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Ack tells a client that the events of a chunk are kept.
func Ack(chunk string) []byte { return appendStr(appendStr([]byte{0x81}, "ack"), chunk) }

// Hello begins the handshake with a client; nonce is random for the connection.
func Hello(nonce []byte) []byte {
	out := appendStr([]byte{0x92}, "HELO")
	out = appendStr(append(out, 0x83), "nonce")
	out = appendBin(out, nonce)
	out = appendStr(appendStr(out, "auth"), "")
	return append(appendStr(out, "keepalive"), 0xc3)
}

// Ping is a client's answer to Hello.
type Ping struct {
	host, salt, digest string
}

// Ping reads the answer to Hello.
func (r *Reader) Ping() (Ping, error) {
	d := decoder{r: r.b, room: 8 << 10} // nobody is known yet
	v, err := d.next(0)
	if err != nil {
		return Ping{}, err
	}
	list, _ := v.([]value)
	if len(list) < 4 {
		return Ping{}, fmt.Errorf("%w: PING is missing", ErrMalformed)
	}
	var text [4]string
	for i := range text {
		text[i], _ = plain(list[i])
	}
	if text[0] != "PING" {
		return Ping{}, fmt.Errorf("%w: PING is missing", ErrMalformed)
	}
	return Ping{text[1], text[2], text[3]}, nil
}

// Knows says whether the client has the key.
func (p Ping) Knows(nonce []byte, key string) bool {
	return subtle.ConstantTimeCompare([]byte(p.digest), []byte(digest(p.salt, p.host, nonce, key))) == 1
}

// Pong ends the handshake: with the proof that host has the key too, or with why
// not.
func (p Ping) Pong(host string, nonce []byte, key, refusal string) []byte {
	out := appendStr([]byte{0x95}, "PONG")
	proof := ""
	if refusal == "" {
		out, proof = append(out, 0xc3), digest(p.salt, host, nonce, key)
	} else {
		out = append(out, 0xc2)
	}
	return appendStr(appendStr(appendStr(out, refusal), host), proof)
}

func digest(salt, host string, nonce []byte, key string) string {
	h := sha512.New()
	h.Write([]byte(salt + host))
	h.Write(nonce)
	h.Write([]byte(key))
	return hex.EncodeToString(h.Sum(nil))
}

func appendStr(out []byte, text string) []byte {
	switch n := len(text); {
	case n < 32:
		out = append(out, 0xa0|byte(n))
	case n < 1<<8:
		out = append(out, 0xd9, byte(n))
	default:
		out = binary.BigEndian.AppendUint32(append(out, 0xdb), uint32(n))
	}
	return append(out, text...)
}

func appendBin(out, raw []byte) []byte { return append(append(out, 0xc4, byte(len(raw))), raw...) }
