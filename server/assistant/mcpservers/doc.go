// Package mcpservers keeps the outside MCP servers that an administrator has
// named: programs of this machine that speak over pipes, and addresses that
// speak streamable HTTP. Each belongs to one team. It connects without holding
// anything up, tells how each one is, offers of their tools what was allowed,
// and locks a tool whose description changes after that.
package mcpservers
