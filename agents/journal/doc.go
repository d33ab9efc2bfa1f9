// Package journal is what the agent's root half remembers: one file, replaced
// as a whole before every action (write beside it, sync, rename, sync the
// folder), so that whatever kills the agent, the next one knows what had begun.
// It lies outside every snapshot: an agent whose memory is rolled back together
// with the machine would install the same bundle for ever.
//
// A flock on the folder allows one run at a time.
package journal
