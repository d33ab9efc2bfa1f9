// Package tools makes what a capability can do callable by machines: the
// assistant and MCP clients. A tool is a value with a name
// <capability>_<noun>_<verb>, the scope it needs and the JSON schemas of what it
// takes and gives, derived from Go structs. The registry offers a caller only
// the tools that the caller's scopes allow, and checks again when one is called.
package tools
