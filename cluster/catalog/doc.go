// Package catalog is the state that every node agrees on: organizations, users,
// packages with their routes, domains, pixels, collections, tokens and settings.
//
// It is deterministic and does no I/O. A change is a [Command]; whatever decides
// it (uniqueness, preconditions, duplicates) is evaluated inside [Store.Apply],
// the same way on every node, while ids and times are chosen by the proposer and
// travel in the command. Who carries commands between nodes is the business of
// package consensus; what a route means is the business of package routing.
//
// The state is one immutable database (go-memdb) per version, made from the one
// before it by copying only the paths that change. Replicas compare (version,
// digest): versions count applied commands without gaps, and the digest chains
// their encodings. What a refused command left behind would not be in either, so
// it leaves nothing.
//
// Left to others: whether an actor may do what it asks (the API), which domain
// names are the gateway's own ([CheckReserved], asked by the proposer), whether
// routes overlap (routing/table warns), and when sessions and links that have
// ended are deleted (the node).
//
// Objects handed out by a [View] are shared and must not be modified.
package catalog
