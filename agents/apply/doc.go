// Package apply is the root half of the agent: it takes an order that the portal
// signed, or a bundle that a person brings, verifies every byte of it once more,
// and brings it onto the machine or leaves the machine as it was.
//
//	idle -> verifying -> (deferred | quarantined | failed | installing)
//	     -> health-checking -> succeeded | rolling-back -> rolled-back | failed
//
// What it believes comes only from metadata signed by keys below the root it
// has pinned. The network half, which hands it blobs and orders, is believed
// nothing: what it says can delay, never install. Every step is in the journal
// before it is taken, so a run that was killed is finished by the next one.
//
// Outcomes are judged by comparing the installed versions with what was to be,
// never by a package manager's exit status.
package apply
