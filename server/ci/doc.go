// Package ci is pipelines and builds: it keeps pipelines, finds new versions of
// their resources, decides which job builds next with which inputs, and has the
// engine run the builds. It speaks Concourse's HTTP API to fly (fly_*_http.go)
// and our own to the UI (the other *_http.go).
//
// Nouns. A pipeline belongs to a team and has jobs and resources, rows that
// outlive their removal from the configuration (active is false then). A
// resource has versions, ordered by check order within a scope (the hash of its
// type and source). A job has builds; a build took versions (inputs), made
// versions (outputs), and is run step by step (steps).
//
// Invariants.
//   - Every query filters by team, or by the id of a row whose team was checked.
//   - What causes work and the work itself are one transaction: a version and the
//     request to schedule its jobs, a started build and its job in the work table.
//   - Nothing waits for a poll: requests wake the scheduler and the checker after
//     the commit. Polling finds only what a crash left behind.
//   - One goroutine at a time schedules a pipeline, on PostgreSQL across nodes.
package ci
