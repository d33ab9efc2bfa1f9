// Package payload reads what GitHub's webhooks say: bytes in, structs out. It
// knows no database and no network.
package payload
