// Package githubtest is a GitHub API in memory for tests: repositories, hooks with
// their deliveries, statuses, check runs, comments and Apps. It pages, tags and
// limits as GitHub does, and misbehaves on purpose when told to (see Misbehave). It
// records what was written, and posts signed deliveries to the hooks that were
// created, so that a whole circle can be run on loopback.
package githubtest
