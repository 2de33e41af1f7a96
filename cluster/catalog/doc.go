// Package catalog is the state that every node agrees on: organizations, users,
// packages with their routes, domains, pixels, collections, tokens and settings.
//
// It is deterministic and does no I/O. A change is a [Command]; whatever decides
// it (uniqueness, preconditions, duplicates) is evaluated inside [Store.Apply],
// the same way on every node, while ids and times are chosen by the proposer and
// travel in the command. Who carries commands between nodes is the business of
// package consensus; what a route means is the business of package routing.
//
// Objects handed out by a [View] are shared and must not be modified.
package catalog
