// Package cluster knows the servers that share one database, and lets them ask
// each other for what lies on one's disk alone: logs of builds, log lines.
//
// A member is a server as its row tells: it writes one at its start and then every
// few seconds. It is there while its row is fresh; one that was killed or has left
// keeps its row, since what lies on its disk comes back with it. On SQLite there is
// one server, and no rows.
//
// Members call each other over HTTP at the address that each announces. A call
// carries a pass: the method, address, time and body's hash, sealed with the
// installation's key, which all members have in their key file.
package cluster
