// Package engine runs the plan of one build: it starts containers through
// runtime.Executor, speaks to resources through resource.Type, writes the build's
// events, and keeps every step as a row in a Ledger, so that a build goes on where it
// was when the server comes back.
//
// Invariants:
//   - A handle (container, volume) is in a row before it is used.
//   - A step whose row has an outcome never runs again; its artifacts and results are
//     taken from the row.
//   - A side effect that cannot be proved not to have begun is never repeated: when the
//     container of a running task or put is gone, the step is errored and says so.
//   - The engine never touches a build's status; it returns an Outcome and its caller
//     stores it and writes the `status` events.
package engine
