package catalog

// DomainState is how far a claim on a domain name has come.
type DomainState string

// A domain serves traffic in the states asserted, verified and failing.
const (
	Asserted DomainState = "asserted" // set by an operator: serves without proof
	Pending  DomainState = "pending"
	Verified DomainState = "verified"
	Failing  DomainState = "failing" // was verified, checks fail, still in its grace period
	Lost     DomainState = "lost"
)

// Serves says whether traffic for the domain is answered.
func (s DomainState) Serves() bool {
	return s == Asserted || s == Verified || s == Failing
}

// Domain is an owner's claim on a name. Several owners may hold a pending claim
// on one name; at most one claim serves.
type Domain struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"` // lower case, no port, no trailing dot
	Owner string      `json:"owner"`
	State DomainState `json:"state"`

	// Code is the value of the TXT record that proves the claim.
	Code string `json:"code,omitempty"`

	Meta
}
