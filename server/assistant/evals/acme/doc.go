// Package acme is a small made-up company to ask questions about: what GitHub
// holds of it, served as GitHub serves it, and what the portal knows, as its
// tools say it. Its clock stands still on a Friday noon. Evaluations and tests
// ask about it; what is true there never changes.
package acme
