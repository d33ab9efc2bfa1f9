// Package portal is the node's way to speak to the portal: every request signed
// with the node's own key, numbered across restarts, and the portal's clock read
// off every answer. It also keeps who this node is.
package portal
