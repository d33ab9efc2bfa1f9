// Package image reads what an unpacked image says about itself, resolves its users,
// and makes the built-in image "host": a read-only view of this machine's programs
// with a minimal /etc and nothing of its people's data.
package image
