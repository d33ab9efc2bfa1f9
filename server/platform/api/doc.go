// Package api is how a capability speaks HTTP: a typed function becomes a gin
// handler (Handle), every route states who may call it (Access), and what all
// answers share - request ids, security headers, limits, ETags, problems,
// metrics, the access log - is middleware here and nowhere else.
package api
