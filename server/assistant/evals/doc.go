// Package evals says whether an assistant answers as it should. A case is a
// question in several phrasings with what its run must show, by five patterns:
// which tools were called with success, what the answer must and must not say,
// in which order and with whose data the tools were called, what may not be
// touched, and whether failures are told. The trace that the server recorded
// is what counts, never what a model says of itself. Models are played from
// cassettes, whose matchers fail aloud when what the model is shown has changed.
package evals
