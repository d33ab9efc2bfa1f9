// Package agenttest makes what the agent's tests need: a small root folder with
// a real dpkg and apt in it, packages built by dpkg-deb, bundles of them, and
// the metadata of a release person with all keys at hand. Only tests import it.
package agenttest
