// Package archive turns tar streams into directory trees and back. The streams come
// from strangers (registries, uploads, containers): nothing is ever written or read
// outside the tree, whatever names and links say, and sizes are bounded.
package archive
