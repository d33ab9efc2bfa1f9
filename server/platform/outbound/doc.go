// Package outbound is how this server calls others: a dialer and an HTTP client
// that refuse addresses inside (private, loopback, link-local and the many ways
// of writing them) unless outbound.allow lists them. The check is made on the
// address being dialled, after the name was resolved and for every redirect, so
// that neither DNS nor a redirect leads around it.
package outbound
