// Package catalog joins the capabilities: services that tie a repository, a pipeline
// job, an error project, log lines and a package together, the timeline over all of
// them, the search for anything by name, and what waits for a person.
package catalog
