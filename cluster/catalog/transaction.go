package catalog

import (
	"reflect"
	"strconv"
	"time"

	"github.com/hashicorp/go-memdb"
)

// object is what every kind of the catalog has in common.
type object interface {
	kind() Kind
	id() string
	label() string // as a person names it
	meta() *Meta
	clone() object // shallow, for Apply to complete without touching the command's

	// check reports what is wrong with the object itself and with what it refers
	// to, and fills in what Apply decides. before is the object it replaces, or
	// nil.
	check(c *checker, before object)

	// attached are the keys in the table of uses: the domain names it attaches.
	attached() []string

	// follow carries a change on to the objects that depend on this one. after
	// is nil when the object was deleted.
	follow(tx *transaction, after object)
}

// transaction carries out one command. The embedded view sees what the
// operations before have done.
type transaction struct {
	*View
	actor Actor
	now   time.Time
	next  uint64 // the version that the command makes

	errors  []*Error
	changes []Change
	changed map[Ref]int // index into changes
}

func newTransaction(txn *memdb.Txn, cmd *Command, next uint64) *transaction {
	return &transaction{
		View:    &View{txn: txn},
		actor:   cmd.Actor,
		now:     cmd.Time.UTC().Round(0), // no monotonic clock
		next:    next,
		changed: make(map[Ref]int),
	}
}

// run carries out the operations one after the other. It goes on after a
// mistake, so that all of them are found at once; an object with a mistake in it
// still counts as there for the operations that refer to it.
func (tx *transaction) run(ops []Op) {
	for i := range ops {
		op := &ops[i]
		obj, ok := op.object()
		c := &checker{tx: tx, op: i}
		switch {
		case !ok:
			c.fail("", CodeOperationInvalid, "an operation must hold exactly one object, or a delete; operation %d does not", i)
		case obj != nil:
			tx.put(c, obj, op.IfVersion)
		default:
			tx.delete(c, *op.Delete, op.IfVersion)
		}
	}
}

// object is the one object that the operation puts, or nil for a delete. ok is
// false unless exactly one of the pointers is set.
func (op *Op) object() (obj object, ok bool) {
	n := 0
	for _, o := range [...]object{
		op.Organization, op.User, op.Package, op.Domain, op.Pixel,
		op.Collection, op.Token, op.Session, op.SignInLink,
	} {
		if !reflect.ValueOf(o).IsNil() {
			obj = o
			n++
		}
	}
	if op.Delete != nil {
		n++
	}
	return obj, n == 1
}

func (tx *transaction) put(c *checker, put object, ifVersion *uint64) {
	c.kind, c.object = put.kind(), put.label()
	before := tx.find(put.kind(), put.id())
	c.precondition(before, ifVersion)

	after := put.clone()
	*after.meta() = Meta{CreatedAt: tx.now, UpdatedAt: tx.now, Version: tx.next}
	if before != nil {
		after.meta().CreatedAt = before.meta().CreatedAt
	}
	c.id("id", after.id())
	after.check(c, before)
	if after.id() == "" {
		return // it has no place in the tables
	}
	tx.set(after)
	if before != nil {
		before.follow(tx, after)
	}
}

func (tx *transaction) delete(c *checker, ref Ref, ifVersion *uint64) {
	c.kind, c.object = ref.Kind, ref.ID
	if kindIndex(ref.Kind) < 0 {
		c.kind = ""
		c.fail("delete.kind", CodeOperationInvalid, "%s is not a kind of object", quoted(string(ref.Kind)))
		return
	}
	before := tx.find(ref.Kind, ref.ID)
	if before == nil {
		c.fail("", CodeNotFound, "does not exist, so it can't be deleted")
		return
	}
	c.object = before.label()
	c.precondition(before, ifVersion)
	if d, ok := before.(deletable); ok {
		d.checkDelete(c)
	}
	tx.remove(before)
	before.follow(tx, nil)
}

// deletable is a kind of object that can't always be deleted.
type deletable interface{ checkDelete(c *checker) }

func (c *checker) precondition(before object, ifVersion *uint64) {
	switch {
	case ifVersion == nil:
	case *ifVersion == 0 && before != nil:
		c.fail("", CodeVersionMismatch, "exists already, at version %d, and was to be new", before.meta().Version)
	case *ifVersion != 0 && before == nil:
		c.fail("", CodeVersionMismatch, "does not exist any more; it was to be at version %d", *ifVersion)
	case *ifVersion != 0 && before.meta().Version != *ifVersion:
		c.fail("", CodeVersionMismatch, "is at version %d, not %d: it was changed in the meantime; read it again",
			before.meta().Version, *ifVersion)
	}
}

// set puts an object as it is and notes the change.
func (tx *transaction) set(after object) {
	before := tx.find(after.kind(), after.id())
	tx.must(tx.txn.Insert(string(after.kind()), after))
	tx.note(after.kind(), after.id(), before, after)
}

// remove takes an object away and notes the change.
func (tx *transaction) remove(before object) {
	tx.must(tx.txn.Delete(string(before.kind()), before))
	tx.note(before.kind(), before.id(), before, nil)
}

// must ends the process rather than let this replica differ from the others.
// memdb fails only on a table, index or object that the schema doesn't know.
func (tx *transaction) must(err error) {
	if err != nil {
		panic("catalog: " + err.Error())
	}
}

// note records a change, once per object and command, and keeps the uses of
// domain names in step. before or after may be nil.
func (tx *transaction) note(kind Kind, id string, before, after object) {
	if before != nil {
		for _, key := range before.attached() {
			tx.use(key, -1)
		}
	}
	if after != nil {
		for _, key := range after.attached() {
			tx.use(key, +1)
		}
	}
	ref := Ref{Kind: kind, ID: id}
	i, ok := tx.changed[ref]
	if !ok {
		i = len(tx.changes)
		tx.changed[ref] = i
		tx.changes = append(tx.changes, Change{Kind: kind, ID: id})
		if before != nil {
			tx.changes[i].Before = before
		}
	}
	tx.changes[i].After = nil // not a nil pointer inside an interface
	if after != nil {
		tx.changes[i].After = after
	}
}

// use adds to the number of objects that attach a domain name.
func (tx *transaction) use(key string, n int) {
	u := &use{key: key, count: n}
	if raw := tx.first(usesTable, byID, key); raw != nil {
		u.count += raw.(*use).count
	}
	if u.count == 0 {
		tx.must(tx.txn.Delete(usesTable, u))
		return
	}
	tx.must(tx.txn.Insert(usesTable, u))
}

// uses is the number of objects of an owner that attach a domain name.
func (tx *transaction) uses(owner, name string) int {
	if raw := tx.first(usesTable, byID, join(owner, name)); raw != nil {
		return raw.(*use).count
	}
	return 0
}

// remember keeps the command's id and forgets the oldest.
func (tx *transaction) remember(id string) {
	tx.must(tx.txn.Insert(appliedTable, &applied{id: id, version: tx.next}))
	if tx.next <= RememberedCommands {
		return
	}
	if old := tx.first(appliedTable, byVersion, versionKey(tx.next-RememberedCommands)); old != nil {
		tx.must(tx.txn.Delete(appliedTable, old))
	}
}

// settled are the changes that remain: an object that came and went within the
// command is none.
func (tx *transaction) settled() []Change {
	kept := tx.changes[:0]
	for _, ch := range tx.changes {
		if ch.Before != nil || ch.After != nil {
			kept = append(kept, ch)
		}
	}
	return kept
}

// head checks what concerns the command as a whole.
func (tx *transaction) head(cmd *Command) bool {
	c := &checker{tx: tx, object: cmd.ID}
	c.required("id", cmd.ID, MaxIDBytes)
	c.text("actor.kind", cmd.Actor.Kind, MaxNameBytes)
	c.text("actor.id", cmd.Actor.ID, MaxIDBytes)
	c.text("actor.name", cmd.Actor.Name, MaxNameBytes)
	c.text("actor.request_id", cmd.Actor.RequestID, MaxNameBytes)
	if cmd.Time.IsZero() {
		c.fail("time", CodeTimeInvalid, "must be set by the proposer")
	} else {
		c.time("time", cmd.Time)
	}
	switch n := len(cmd.Ops); {
	case n == 0:
		c.fail("ops", CodeCommandInvalid, "a command needs at least one operation")
	case n > MaxOps:
		c.fail("ops", CodeCommandTooLarge, "has %s operations; at most %d are allowed: split it", strconv.Itoa(n), MaxOps)
		return false
	}
	return true
}
