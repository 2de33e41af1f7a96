package table

// Explanation is the answer to "which rule serves this URL, and why?"
type Explanation struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Host   string `json:"host"`
	Owner  string `json:"owner,omitempty"`
	// Summary is the answer in a sentence or two.
	Summary    string      `json:"summary"`
	Candidates []Candidate `json:"candidates"` // in the order in which they are tried; the first that matches wins
	// Location is where the request is sent; empty when nothing matches or the
	// rule answers by itself.
	Location string `json:"location,omitempty"`
}

// Candidate is one rule that came close to a request.
type Candidate struct {
	RuleRef
	Matches   bool   `json:"matches"`
	Wins      bool   `json:"wins"`
	Why       string `json:"why"` // a sentence
	Variables []Var  `json:"variables,omitempty"`
}

// RuleRef names a rule as a person would.
type RuleRef struct {
	Kind      string `json:"kind"` // "template", "regexp", "event", "catch-all", "image", "collection", "python"
	Owner     string `json:"owner,omitempty"`
	PackageID string `json:"package_id,omitempty"`
	Package   string `json:"package,omitempty"`
	RouteID   string `json:"route_id,omitempty"`
	Pattern   string `json:"pattern"`
}

// Conflict is two rules of one host that can match the same URL.
type Conflict struct {
	Host   string  `json:"host"`
	Rule   RuleRef `json:"rule"`   // of the package asked about
	Other  RuleRef `json:"other"`  // the one it meets
	Sample string  `json:"sample"` // a URL without scheme that both match
	Wins   string  `json:"wins"`   // a sentence: which of them serves the sample, and why
}

// Explain says which rules a request meets, which of them wins, and why. url may
// lack a scheme.
func (t *Table) Explain(method, url string) Explanation { return Explanation{Method: method, URL: url} }
