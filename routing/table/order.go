package table

import "fmt"

// tried orders rules of one host as they are tried.
func (r *Rule) tried(o *Rule) int {
	if r.Kind != o.Kind {
		return int(r.Kind) - int(o.Kind)
	}
	switch r.Kind {
	case TemplateRule, EventRule, CollectionRule:
		return r.order(o)
	case CatchAllRule:
		if d := len(o.rest.catchAll.prefix) - len(r.rest.catchAll.prefix); d != 0 {
			return d
		}
	}
	return r.age(o)
}

// beats says in a clause why r is tried before o.
func (r *Rule) beats(o *Rule) string {
	switch {
	case r.Kind != o.Kind:
		return fmt.Sprintf("%s rules are tried before %s rules", r.Kind, o.Kind)
	case r.Kind == CatchAllRule && r.rest.catchAll.prefix != o.rest.catchAll.prefix:
		return fmt.Sprintf("the winner's prefix is longer (%d bytes against %d)", len(r.rest.catchAll.prefix), len(o.rest.catchAll.prefix))
	case r.rank>>32 != o.rank>>32:
		return fmt.Sprintf("the winner's literal beginning is longer (%d bytes against %d)", r.rank>>32, o.rank>>32)
	case r.rank>>16 != o.rank>>16:
		return fmt.Sprintf("the winner has more literal characters (%d against %d)", r.rank>>16&0xffff, o.rank>>16&0xffff)
	case r.rank != o.rank:
		return fmt.Sprintf("the winner has fewer variables (%d against %d)", 0xffff-r.rank&0xffff, 0xffff-o.rank&0xffff)
	case !r.created().Equal(o.created()):
		return fmt.Sprintf("the winner is older (%s against %s)", r.created().UTC().Format("2006-01-02 15:04:05"), o.created().UTC().Format("2006-01-02 15:04:05"))
	}
	return "the two are equally specific and equally old, so that the smaller id wins"
}
