// Package query is the language of log search: one tree, into which the text
// of our search box is parsed here and LogQL in the child package logql.
//
// A query is a condition and pipes behind it:
//
//	error "connection refused" service:api -host:web1 duration:>1.5s | stats count() by (host) | sort count desc
//
// Words are whole, upper and lower case alike, and are searched in the message
// and in the values of all fields; conditions side by side must all hold. A
// field's value is compared as a whole, * stands for anything. The package is
// pure: it knows records and nothing of how they are kept. What the store needs
// to look at less (tokens that must occur, streams that cannot match, fields
// that are asked for) it is told by Plan.
package query
