package github

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/platform/github/payload"
	"github.com/signalbox/signalbox/server/platform/problem"
)

const (
	// maxBody is GitHub's own cap: it never delivers more.
	maxBody = 25 << 20
	// bodyMemory bounds the bodies being read at once; who finds no room is told to come back.
	bodyMemory = 100 << 20
)

var (
	validEvent = regexp.MustCompile(`^[a-z0-9_.-]{1,60}$`)
	validGUID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	validID    = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Signed reports whether header ("sha256=" and hex) is the HMAC of body under
// one of the secrets. It takes as long for a wrong secret as for a right one.
func Signed(header string, body []byte, secrets ...[]byte) bool {
	text, found := strings.CutPrefix(header, "sha256=")
	given, err := hex.DecodeString(text)
	valid := false
	for _, secret := range secrets {
		if len(secret) == 0 {
			continue // an empty key would let anybody sign
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), given) {
			valid = true
		}
	}
	return valid && found && err == nil
}

func (h openHook) signed(header string, body []byte, now time.Time) bool {
	if h.previous != nil && now.Before(h.previousUntil) {
		return Signed(header, body, h.secret, h.previous)
	}
	return Signed(header, body, h.secret)
}

// document gives the JSON document in a body of either content type.
func document(contentType string, body []byte) ([]byte, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/json":
		return body, nil
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil || form.Get("payload") == "" {
			return nil, problem.New(problem.Invalid, "The form has no field payload, or is not a form.")
		}
		return []byte(form.Get("payload")), nil
	}
	return nil, problem.New(problem.Unsupported, "Set the hook's content type to application/json or application/x-www-form-urlencoded.")
}

// read makes the row of a signed request.
func (h openHook) read(header http.Header, address string, body []byte, now time.Time) (deliveryRow, error) {
	event, guid := header.Get("X-GitHub-Event"), header.Get("X-GitHub-Delivery")
	if !validEvent.MatchString(event) || !validGUID.MatchString(guid) {
		return deliveryRow{}, problem.New(problem.Invalid, "X-GitHub-Event or X-GitHub-Delivery is missing or malformed.")
	}
	doc, err := document(header.Get("Content-Type"), body)
	if err != nil {
		return deliveryRow{}, err
	}
	summary, err := payload.Summarize(doc)
	if err != nil {
		return deliveryRow{}, problem.Wrap(err, problem.Invalid, "%s", "The delivery was not kept: "+err.Error()+".")
	}
	row := deliveryRow{
		ID: randomHex(10), TeamID: h.team, HookID: h.id, GUID: &guid, Event: event, Action: summary.Action, Repository: summary.Repository,
		Sender: summary.Sender, ReceivedAt: now.UnixMilli(), Verdict: string(Accepted), Repeats: 1, Headers: keepHeaders(header, address),
		Body: doc, Size: int64(len(doc)), State: string(Waiting),
	}
	if event == "ping" {
		row.State = string(None)
	}
	if h.app {
		row.Installation = installationOf(doc)
		if h.installation != 0 && row.Installation != 0 && row.Installation != h.installation {
			row.State, row.Error = string(None), fmt.Sprintf("It is about installation %d, and the connection is for %d.", row.Installation, h.installation)
		}
	}
	return row, nil
}

// installationOf reads which installation of an App a delivery is about; 0 for none.
func installationOf(doc []byte) int64 {
	var body struct {
		Installation struct {
			ID int64 `json:"id"`
		} `json:"installation"`
	}
	_ = json.Unmarshal(doc, &body) // of another shape than GitHub's: about none
	return body.Installation.ID
}

// learn notes what a hook that was entered by hand is at, from the headers of a
// signed delivery, so that GitHub's list of its deliveries can be asked for.
func (s *Service) learn(ctx context.Context, row deliveryRow) error {
	headers := row.delivery().Headers
	id, err := strconv.ParseInt(headers["X-GitHub-Hook-ID"], 10, 64)
	if err != nil || id < 1 {
		return nil
	}
	owner, repo, both := strings.Cut(row.Repository, "/")
	switch headers["X-GitHub-Hook-Installation-Target-Type"] {
	case "repository":
		if both && validateRepository(owner, repo) == nil {
			return s.learnHook(ctx, row.HookID, HookRepository, owner, repo, id)
		}
	case "organization":
		if validOrganization.MatchString(owner) {
			return s.learnHook(ctx, row.HookID, HookOrganization, owner, "", id)
		}
	}
	return nil
}

func (h openHook) refused(header http.Header, address string, size int64, now time.Time, why string) deliveryRow {
	event := header.Get("X-GitHub-Event")
	if !validEvent.MatchString(event) {
		event = ""
	}
	return deliveryRow{ID: randomHex(10), TeamID: h.team, HookID: h.id, Event: event, ReceivedAt: now.UnixMilli(), Verdict: string(Refused), Repeats: 1,
		Headers: keepHeaders(header, address), Size: size, State: string(None), Error: why}
}

// kept are the headers worth showing. The signature is not: it would let a
// reader of the row try secrets at leisure.
var kept = []string{"Content-Type", "Content-Length", "User-Agent", "X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID",
	"X-GitHub-Hook-Installation-Target-Type", "X-GitHub-Hook-Installation-Target-ID", "X-GitHub-Enterprise-Host", "X-GitHub-Enterprise-Version"}

const maxHeader = 300

func keepHeaders(header http.Header, address string) string {
	list := map[string]string{"Remote-Address": address}
	for _, name := range kept {
		if value := strings.ToValidUTF8(header.Get(name), "?"); value != "" {
			list[name] = strings.ReplaceAll(value[:min(len(value), maxHeader)], "\x00", "?")
		}
	}
	text, _ := json.Marshal(list) // strings only: cannot fail
	return string(text)
}
