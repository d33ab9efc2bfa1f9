// Package oci writes the OCI runtime configuration of a container: which
// namespaces, mounts, capabilities, system calls and limits it gets. It is pure:
// a Container in, a specs.Spec out, so that every isolation rule can be read and
// tested in one place.
package oci
