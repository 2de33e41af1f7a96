// Package routing answers requests on the gateway listener: host first, then the
// rules of that host, then a redirect, a proxied answer, some bytes, a plain OK,
// or a not-found in the words of the client's protocol. What was served is handed
// to a Recorder as an event; the client's address goes to an Enricher and nowhere
// else.
package routing
