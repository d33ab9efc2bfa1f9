// Package provider stands in for the providers of language models: it speaks
// their protocols over HTTP and has a scripted model answer. What it cannot
// read it refuses aloud, so that a changed request is noticed.
package provider
