package catalog

import "time"

// Organization owns packages, domains and pixels. Organizations and users share
// one namespace of names, since both appear as OWNER in host names and paths.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"` // unique over organizations and users; a DNS label, lower case

	Description  string `json:"description,omitempty"`
	Website      string `json:"website,omitempty"`
	BillingEmail string `json:"billing_email,omitempty"`

	// VariableOverrides maps the name of a custom variable to one of the
	// default variables "page", "platform" or "version".
	VariableOverrides map[string]string `json:"variable_overrides,omitempty"`

	Meta
}

// User is a person (or a robot) that signs in. A user may own packages itself.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`

	// Operator gives the rights of the cluster's operator: every organization
	// as an audited owner, the cluster itself, and SQL.
	Operator bool `json:"operator,omitempty"`

	Meta
}

// Meta is what every object carries. Version is the catalog version of the last
// change to the object: it serves as ETag and as precondition.
type Meta struct {
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Version   uint64    `json:"version"`
}
