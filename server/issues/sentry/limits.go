package sentry

// Limits bound what one request may cost. All sizes are bytes.
type Limits struct {
	// Compressed is the body as it travels, Decoded the body after decompression.
	Compressed, Decoded int64
	// Event holds for every item that is JSON (event, transaction, span, log, …).
	Event int64
	// Attachment holds for one attachment and for all attachments together.
	Attachment int64
	// CheckIn holds for one check_in item.
	CheckIn int64
	// HeaderLine holds for the envelope's and the items' header lines.
	HeaderLine int64
	// Sessions is the number of session items in an envelope, and of buckets in
	// a sessions item.
	Sessions int
	// Items is the number of items in an envelope.
	Items int
}

// DefaultLimits are those of Sentry's documentation.
func DefaultLimits() Limits {
	const kib, mib = 1 << 10, 1 << 20
	return Limits{
		Compressed: 20 * mib,
		Decoded:    100 * mib,
		Event:      1 * mib,
		Attachment: 100 * mib,
		CheckIn:    100 * kib,
		HeaderLine: 8 * kib,
		Sessions:   100,
		Items:      1000,
	}
}

// What a normalised event may hold. Longer things are cut, never refused.
const (
	maxMessage    = 8192
	maxValue      = 8192
	maxFrames     = 50
	maxExceptions = 50
	maxThreads    = 64
	maxTagKey     = 32
	maxTagValue   = 200
	maxTags       = 100
	maxShort      = 200
	maxPath       = 512
	maxLine       = 256
	maxContextSrc = 10
	maxPairs      = 50
	maxContext    = 8 << 10
	maxExtraItem  = 16 << 10
	maxExtra      = 256 << 10
	maxVars       = 4 << 10
	maxBody       = 8 << 10
	maxCrumbs     = 100
	maxCrumbData  = 4 << 10
	maxModules    = 1000
	maxImages     = 500
	maxSpans      = 1000
	maxErrors     = 50
	maxDepth      = 6
)
