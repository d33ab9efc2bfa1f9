// Package grammar reads questions: a query language in English clothes. It is
// pure: the words, the time, the zone and the names that exist come in; a
// Reading, or what was not understood, goes out. A word that carries meaning
// and was not understood is kept in Left, so that it is never ignored.
package grammar
