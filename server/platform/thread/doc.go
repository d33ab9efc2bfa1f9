// Package thread is what capabilities contribute to pages that show all of them
// together: what happened, what is called so, what waits for a person. It holds
// only the shapes; accounts/catalog asks and joins.
package thread
