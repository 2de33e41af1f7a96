// Package ui is the admin UI: server-rendered pages and the assets they need.
//
// Every page works without script; htmx then refreshes parts of it, a small
// module turns the charts into interactive ones, and another adds arriving events
// to the list. Each part of a page (a panel) is a template that can be fetched
// alone. The URL of a page is its whole state: period, filters, measure.
//
// The package asks for everything through the interfaces in options.go, and
// leaves who is allowed what beyond "an operator sees every owner, anyone else
// their own", how figures are counted, and what a route means to others.
package ui
