// Package algorithm decides which versions of its inputs a job's next build
// takes. It is pure: a History answers questions about the past, Resolve gives
// the choice or the reasons why there is none.
//
// The rules are Concourse's. An input without passed jobs stands alone: its
// pin, else the next version with `version: every`, else the latest enabled
// one. Inputs with passed jobs that are connected through a job form a group.
// For each passed job of a group one succeeded build is chosen, and every input
// that names the job takes a version that this very build got or put.
//
// Of all valid choices the first in this order wins: jobs in the order in which
// the inputs name them, and for each job its newest builds first, or, where an
// input takes every version, forward from the build that was used last. Of
// several versions in one build what it put comes before what it got. The
// search is exact: when it finds nothing, nothing exists. It stays fast by
// remembering, for each number of settled jobs, the versions with which the
// remaining jobs cannot be satisfied.
package algorithm
