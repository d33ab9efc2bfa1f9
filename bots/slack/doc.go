// Package slack speaks with Slack: events and clicks come in over Socket Mode or
// over HTTP and are read into one shape, messages go out, are edited and
// streamed. It knows nothing of questions and answers, keeps nothing, and
// decides nothing: what is acknowledged is up to whoever handles it.
package slack
