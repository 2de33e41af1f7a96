// Package e2e drives the built binary from outside with the clients that people
// use: curl, skopeo, crane, pip, npm and a browser. Every test starts processes
// of its own on loopback addresses, and ends them.
package e2e
