// Package consensus brings catalog commands into one order that survives: a raft
// group (Ongaro's thesis, by hashicorp/raft) whose log is a bbolt file and whose
// state machine is the catalog's store.
//
// It decides nothing about commands; [catalog.Store.Apply] does. Nodes outside
// the group learn what was committed from package cluster's replication.
//
// Files, all under Options.Dir:
//
//	raft/log.db       the log and the vote (bbolt)
//	raft/snapshots/   the two latest snapshots of the catalog
package consensus
