// Package slacktest is a Slack to test against: the Web API as far as the app
// uses it, Socket Mode with everything that goes wrong there, and people who
// write, press and type. It keeps what was said, so that a test can read a
// channel as its members would.
package slacktest
