// Package issues takes what Sentry's clients send, groups it into issues and
// keeps what people decide about them.
//
// Its nouns: a *project* (of one team; its integer id is in the DSN) has *keys*,
// by which clients are known. A request brings *items* (an event, an
// attachment, a session, …). An accepted item lies in the *spool*, durably,
// before its client is answered; *digestion* reads the spool in order and turns
// events into *issues*. *Outcomes* (accepted, filtered, limited, dropped,
// invalid, discarded) are counted per hour.
//
// Invariants:
//   - Whoever was answered 200 finds the event: it is in the spool or in the
//     database, also after kill -9.
//   - The spool's position is saved in the transaction that digests; what is
//     digested twice after a crash is the same by its event id.
//   - One item that cannot be digested is put aside and never blocks others.
//   - A project that is silenced in one category is not silenced in another.
//   - Nothing waits without bound: a full spool, full memory and a full disk
//     tell the sender to come back.
//
// Foreign formats are in the child packages, which are pure.
package issues
