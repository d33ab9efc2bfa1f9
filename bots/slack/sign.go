package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// skew is how old a signature may be: an older one may have been heard and sent again.
const skew = 5 * time.Minute

// ErrUnsigned is what a request is refused with that Slack has not signed.
var ErrUnsigned = errors.New("slack: the signature is missing, wrong or old")

// Verify reports whether Slack has signed a body. The secret must not be empty.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	stamp := header.Get("X-Slack-Request-Timestamp")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || secret == "" || now.Sub(time.Unix(at, 0)).Abs() > skew {
		return ErrUnsigned
	}
	if !hmac.Equal([]byte(Sign(secret, stamp, body)), []byte(header.Get("X-Slack-Signature"))) {
		return ErrUnsigned
	}
	return nil
}

// Sign is the signature of a body at a time in seconds.
func Sign(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
