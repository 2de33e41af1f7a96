package access

import (
	"slices"

	"tallygate/cluster/catalog"
)

// Identity is who a request is made by. The zero value is nobody.
type Identity struct {
	User  *catalog.User
	Token *catalog.Token // nil for sessions and the local socket
	Local bool           // the node's own socket: the machine's operator
}

// Local is the operator of the node's machine, known by the socket's mode.
var Local = Identity{Local: true}

// Known says whether the request is anybody's.
func (id Identity) Known() bool { return id.Local || id.User != nil }

// Operator says whether the identity may run the cluster.
func (id Identity) Operator() bool {
	return id.Local || (id.User != nil && id.User.Operator)
}

// May says whether the identity holds the scope: sessions and the local socket
// hold all, a token those it was made with.
func (id Identity) May(s catalog.Scope) bool {
	if id.Token == nil {
		return id.Known()
	}
	return slices.Contains(id.Token.Scopes, s)
}

// Actor is the identity as the catalog's log keeps it.
func (id Identity) Actor(requestID string) catalog.Actor {
	a := catalog.Actor{Kind: "local", Operator: id.Operator(), RequestID: requestID}
	if id.User != nil {
		a.Kind, a.ID, a.Name = "user", id.User.ID, id.User.Name
	}
	if id.Token != nil {
		a.Kind, a.ID = "token", id.Token.ID
	}
	return a
}
