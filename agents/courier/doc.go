// Package courier is the network half of the agent: it checks in, keeps the
// trusted metadata fresh, fetches what an order needs into the spool, hands the
// order to the worker and brings reports back. It has no rights over the machine,
// and what it says is not believed: the worker checks everything once more.
//
// Being offline is normal. The last order is kept; what is staged installs in
// its window without a link, and reports wait.
package courier
