// Package github is where GitHub and this server meet: connections (an API
// address, and a token or an App of a team), hooks (where GitHub posts to; managed
// ones are created and mended by us), deliveries (what it posted), the API client,
// and what goes back: commit statuses, check runs, comments. Rules tell channels of
// deliveries. For tests there is a fake GitHub, in githubtest.
//
// Everything written to GitHub is a wish in a row, written by a durable job that
// looks before it writes; of several wishes for one subject only the newest is
// written. Once an hour, after a start, and when a connection returns, deliveries
// are compared with GitHub's own list by GUID, and what did not arrive is fetched.
//
// Intake is two-step. A request is verified against the hook's secret over the
// raw body, spooled (one transaction for all that arrive within two
// milliseconds) and answered; a loop digests what is waiting, calling OnDelivery
// in the transaction that marks the delivery done, so that whatever OnDelivery
// writes happens exactly once. A delivery is known by (hook, GUID); GitHub's
// redeliveries keep the GUID. A refused request leaves one capped row without
// its body, and never occupies a GUID.
package github
