package issues

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/issues/sentry"
)

// Accepted is one item as it lies in the spool, durable before the client was answered.
type Accepted struct {
	// Offset is the place behind the item: what spoolDone is told when it is digested.
	Offset             int64
	Project, Team, Key int64
	Received           time.Time
	// Sent is zero when the client did not say.
	Sent time.Time
	// Address is the client's IP address, after trusted proxies.
	Address string
	// EventID has 32 hex digits. Items that belong to no event may have none.
	EventID  string
	ItemType string
	// Client is name/version of the SDK, as it says.
	Client string
	// Header holds what else is known, by the names below; nil when nothing is.
	Header  map[string]string
	Payload []byte
}

// The names in Accepted.Header.
const (
	headerFilename       = "filename"
	headerContentType    = "content_type"
	headerAttachmentType = "attachment_type"
	// headerCount is the number of entries in a span, log or metric item.
	headerCount = "count"
	// headerBlob is the SHA-256 of a payload that is in the blob store instead;
	// headerSize is its size, headerHold by what the spool owns it. See adopt.
	headerBlob = "blob"
	headerSize = "size"
	headerHold = "hold"
)

// holdKind is as what the spool owns blobs.
const holdKind = "issues_spool"

// adopt gives the item's blob to a row (its kind and id) instead of the spool,
// in the context's transaction. An item whose blob nobody adopts loses it when
// the spool has moved on.
func (s *Service) adopt(ctx context.Context, a Accepted, kind, owner string) error {
	return s.Blobs.Own(ctx, a.Team, a.Header[headerBlob], kind, owner)
}

// categoryOf is the data category that an item counts as.
func categoryOf(a Accepted) string { return sentry.Category(a.ItemType) }
