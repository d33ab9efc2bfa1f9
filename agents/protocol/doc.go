// Package protocol is what an edge node's agent and the portal say to each
// other: the messages, how a request is signed, how an order is signed, the
// states of a node and the agent's exit codes. It is the smaller program's
// package: the portal imports it, it imports nothing.
//
// Everything is JSON over TLS under /edge/v1. A request is signed by the node's
// own ed25519 key (Sign, Verify); the portal's orders travel in an Envelope that
// is signed by the timestamp key of the trusted root, so that nothing between
// the two can invent one. Unknown fields are ignored by both sides: an older
// agent and a newer portal understand each other.
//
// What every answer carries: HeaderTime, the portal's clock. What a refused
// request may carry: HeaderLastSeq, the highest sequence number it has seen.
package protocol

// Prefix is the path that all of it lies under.
const Prefix = "/edge/v1"

// The paths, below the portal's address.
const (
	PathEnroll    = Prefix + "/enroll"
	PathCheckIn   = Prefix + "/checkin"
	PathInventory = Prefix + "/inventory"
	PathReports   = Prefix + "/reports"
	PathRotate    = Prefix + "/rotate"
	PathMetadata  = Prefix + "/metadata/"
	PathBlobs     = Prefix + "/blobs/sha256/"
	PathBundles   = Prefix + "/bundles/"
)

// ManifestPath is where a published bundle's manifest is.
func ManifestPath(bundle string) string { return PathBundles + bundle + "/manifest.json" }

// BlobPath is where a blob is, by the hex of its SHA-256.
func BlobPath(sha256hex string) string { return PathBlobs + sha256hex }

// What one message may weigh, in bytes of its body; the portal refuses more.
const (
	MaxMessage      = 64 << 10
	MaxReportsBody  = 1 << 20
	MaxInventory    = 4 << 20  // compressed
	MaxInventoryRaw = 32 << 20 // decompressed
	// MaxReports is how many reports one request may hold.
	MaxReports = 100
	// MaxDetails bounds a report's details, MaxText its message.
	MaxDetails = 16 << 10
	MaxText    = 4 << 10
)
