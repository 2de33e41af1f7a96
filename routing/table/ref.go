package table

// RuleRef names a rule as a person would.
type RuleRef struct {
	Kind      string `json:"kind"` // "template", "regexp", "event", "catch-all", "image", "collection", "python"
	Owner     string `json:"owner,omitempty"`
	PackageID string `json:"package_id,omitempty"`
	Package   string `json:"package,omitempty"`
	RouteID   string `json:"route_id,omitempty"`
	Pattern   string `json:"pattern"`
}

// ref names a rule.
func (r *Rule) ref() RuleRef {
	ref := RuleRef{Kind: r.Kind.String(), Owner: r.Owner()}
	if p := r.Package; p != nil {
		ref.PackageID, ref.Package = p.ID, p.Name
	}
	switch {
	case r.Route != nil:
		ref.RouteID, ref.Pattern = r.Route.ID, r.Route.IncomingPath
	case r.Kind == ImageRule:
		ref.Pattern = r.Package.Image.PublicName()
	case r.Kind == PythonRule:
		ref.Pattern = "/simple/" + r.Package.Index.Project + "/"
	case r.Kind == CollectionRule:
		ref.Pattern = r.Collection.Pattern
	}
	return ref
}
