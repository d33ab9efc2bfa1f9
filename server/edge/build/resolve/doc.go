// Package resolve finds, for one node, what to install so that the wanted updates are in and
// every dependency that held before still holds. It knows no package format: deb and rpm bring
// their order of versions and their rules with them.
//
// The answer errs on the side of doing less. An update whose needs cannot be met within what is
// allowed is kept back and named with the reason; nothing is ever removed or added beyond what
// the caller permits.
package resolve
