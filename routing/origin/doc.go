// Package origin speaks to the servers where artifacts really are: registries,
// package indexes, file hosts. It is the only way out of the gateway.
//
// Owners name origins, so an origin's name is the word of a stranger: the address
// it resolves to is checked when the connection is made, every wait is bounded,
// and no redirect is followed. What to send, what to make of the answer and
// whether to go on to another origin is the caller's business.
//
// A [Pool] also remembers which origins are down, from the requests that pass
// through it and from checks of watched hosts, so that traffic can move to a
// failover origin and back.
package origin
