// Package githubtools are GitHub's questions as tools, with the names that
// GitHub's own MCP server gives them where it has them. Answers hold only the
// fields that people ask about. Every call names its repository, which must be
// one of those that the team has allowed.
package githubtools
