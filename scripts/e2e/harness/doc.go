// Package harness is what end-to-end tests share: the binary under test as a
// process, registries, networks of namespaces, and the clients that people use.
// Everything it starts is ended by the test that started it.
package harness
