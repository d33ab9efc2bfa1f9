// Package logql reads the part of LogQL, Loki's query language, that Grafana's
// data source, logcli and people's dashboards use, into the tree of package
// query, and calculates its metrics.
//
// The grammar is written from Loki's documentation of the language
// (grafana.com/docs/loki/latest/query), not from its source. Three decisions:
// a line filter searches the message and the values of all fields, because a
// JSON line is kept as its parts; level and detected_level mean the level that
// intake found; and a range aggregation without grouping tells series apart by
// the stream's labels and what pipes extracted, not by every field.
package logql
