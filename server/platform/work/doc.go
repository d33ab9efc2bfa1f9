// Package work runs what happens without a request: loops, and durable jobs.
//
// A job is a row. It is inserted in the same transaction as the state change
// that causes it (Enqueue with the transaction's context), claimed under a lease
// that a heartbeat extends, retried with growing, jittered delays, and after its
// last attempt rests as a dead letter until somebody retries or discards it.
// A job whose node died is claimed again when its lease ends, or at once when
// the same node starts again. Handlers are therefore idempotent.
package work
