// Package assistant answers questions by calling tools: those of every
// capability, GitHub's, and those of outside MCP servers that an administrator
// has allowed. The same tools are served to any MCP client at /mcp.
package assistant
