// Package event holds the events of a build as Concourse's fly reads them: their
// names, versions, fields and the envelope around them.
//
// The foreign side is strict: fly ends with an error on a name or a major version
// that it does not know, so Known says which names may be sent to it. Events of our
// own may be added here with a name that is not in that set; they reach our pages only.
package event
