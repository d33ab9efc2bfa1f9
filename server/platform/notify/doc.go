// Package notify tells people outside what happened: by mail, in Slack, or by a
// signed webhook.
//
// A team has channels; each says where to, for which events and pipelines. Raise
// is called in the transaction that causes the event: it stores a delivery and a
// durable job per channel that wants it, so that nothing is told that did not
// happen and nothing is forgotten. The job sends, waits as long as the other side
// asks, and gives up on what will never work. A delivery may arrive twice when
// the server dies between sending and noting it; webhooks carry its id.
//
// Addresses and secrets are sealed in the database and never shown again, also
// not in errors.
package notify
