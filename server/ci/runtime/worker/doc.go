// Package worker is the built-in executor of builds: containers on this machine.
//
// Each container has a supervisor, a process of its own that runs this program's
// hidden subcommand (SupervisorMain). It starts the container through runc, or
// bubblewrap where runc cannot run, keeps its output and its end in the container's
// folder, and outlives the server; a restarted server reads the same folder. The
// server and the supervisor share nothing else: a launch goes in by standard
// input, a stop by a file and a signal, a lock tells whether the supervisor lives.
//
// Layout of the data folder: volumes/<id> is a volume's tree, containers/<id> one
// container, incoming/ and trash/ hold trees that are being made or deleted.
// Files of containers and volumes are owned by the unprivileged range of ids that
// containers run as: root inside is 100000 outside.
//
// Mounts are made in the supervisor's own mount namespace, addresses claimed by
// locks and interfaces kept by its network namespace, so that nothing of them can
// be left behind.
package worker
