// Package stream tells browsers what has changed. An event is an invalidation,
// {team, topic, id}, never the data itself: whoever hears it asks the API again.
//
// Events travel through database.Notify, so every node hears those of all
// nodes, after the commit of the change they are about. A topic is a capability
// ("ci") or begins with one and a dot ("ci.build"); a caller hears it who may
// read that capability in the event's team. Each node numbers what it hears in
// a ring, and readers walk the ring by themselves: a slow or returning reader
// that the ring has left behind gets "reset" and asks for everything again.
package stream
