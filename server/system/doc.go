// Package system tells whoever runs the installation how it is: probes for
// balancers, metrics for monitors, checks with the way to mend what they find,
// the background loops, and the jobs that gave up.
//
// A check never changes anything and never takes longer than a few seconds;
// what it cannot find out in that time is a failure of its own.
package system
