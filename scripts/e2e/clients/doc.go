// Package clients pulls images through the gateway with the clients that people
// use, in network namespaces, over TLS with a private CA: from a registry that asks
// for tokens and keeps its blobs on other hosts, and from one that asks nobody for
// anything.
//
// The tests take the quick clients and the main cases; with -full they take all,
// and with -write FILE they write what was run, as docs/clients.md.
package clients
