// Package github is where GitHub and this server meet: connections (an API
// address and a token of a team), hooks (where GitHub posts to), deliveries
// (what it posted), the API client, and the commit statuses that go back.
//
// Intake is two-step. A request is verified against the hook's secret over the
// raw body, spooled (one transaction for all that arrive within two
// milliseconds) and answered; a loop digests what is waiting, calling OnDelivery
// in the transaction that marks the delivery done, so that whatever OnDelivery
// writes happens exactly once. A delivery is known by (hook, GUID); GitHub's
// redeliveries keep the GUID. A refused request leaves one capped row without
// its body, and never occupies a GUID.
package github
