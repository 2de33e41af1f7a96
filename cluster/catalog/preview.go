package catalog

import "time"

// ValidateOps is [Validate] for operations that may be too many for one
// command: it says what Apply would refuse, were they applied one after the
// other. Each sees those before it, and one with a mistake in it still counts as
// there. [Error.Op] is the index into ops.
func ValidateOps(v *View, actor Actor, now time.Time, ops []Op) []*Error {
	db := v.db.Snapshot()
	txn := db.Txn(true)
	defer txn.Abort()
	tx := newTransaction(txn, &Command{Actor: actor, Time: now}, v.version+1)
	tx.run(ops)
	return tx.errors
}
