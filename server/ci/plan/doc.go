// Package plan holds the tree of steps that a build executes, in the JSON that
// Concourse calls atc.Plan: fly builds such trees itself for `fly execute`, and the
// build page shows their public form.
//
// A plan is made once, when the build is created (FromJob, FromCheck), and never
// changes: resources, resource types and input versions are copied into it, so that a
// later `set-pipeline` does not touch running builds. Values keep their ((vars)); the
// engine interpolates them when the step runs.
//
// Invariant: ids are unique in a plan and stable: the same job and inputs give the
// same ids.
package plan
