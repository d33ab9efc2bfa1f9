// Package version orders the versions of packages as dpkg and rpm do. The agent
// judges by it what is newer, and so does the portal when it builds a bundle:
// two answers to that question would be one too many.
package version
