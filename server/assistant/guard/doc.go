// Package guard holds the rules that keep an assistant harmless, as pure
// functions: text that others wrote is cleaned of what people do not see,
// secrets are taken out on the way in and on the way out, answers link only
// where they may, calls name only repositories that are allowed, and long
// results are cut so that the cut shows. It knows no tools and no teams.
package guard
