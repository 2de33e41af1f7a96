//go:build race

package routing_test

const underRace = true
