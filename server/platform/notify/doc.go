// Package notify tells people outside what happened: by mail, in Slack, by a
// signed webhook, or in issues at GitHub.
//
// A team has channels; each says where to, for which events and pipelines. Raise
// is called in the transaction that causes the event: it stores a delivery and a
// durable job per channel that wants it, so that nothing is told that did not
// happen and nothing is forgotten. The job sends, waits as long as the other side
// asks, and gives up on what will never work. A delivery may arrive twice when
// the server dies between sending and noting it; webhooks carry its id.
//
// A channel's manner says how often and when it tells: messages of one rule and
// subject go as one letter, a limit is not exceeded, quiet hours are kept. What may
// not go now is held in its row and goes later with others as one summary, decided by
// pure rules (manner.go) in the channel's own series of jobs; nothing is lost by it.
//
// Rules lists what the capabilities' rules are in one shape, and switches them.
//
// Addresses and secrets are sealed in the database and never shown again, also
// not in errors.
package notify
