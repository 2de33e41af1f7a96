// Package table holds the compiled rules of every host: an immutable value that
// the request path reads through one atomic pointer. It is derived from a
// catalog view, at once at start and by small steps after each change; a step
// shares all that it does not touch with the table before it.
package table
