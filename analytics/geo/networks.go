package geo

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// The types of networks. The empty string is unknown, which is most of them.
const (
	Hosting    = "hosting"
	ISP        = "isp"
	Education  = "education"
	Government = "government"
	Business   = "business"
)

//go:embed networks.tsv
var networksFile string

type knownNetwork struct{ kind, name string }

var knownNetworks = sync.OnceValue(func() map[uint32]knownNetwork {
	out := map[uint32]knownNetwork{}
	for line := range strings.Lines(networksFile) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(fields) != 4 {
			continue
		}
		asn, err := strconv.ParseUint(fields[0], 10, 32)
		if err != nil {
			continue
		}
		out[uint32(asn)] = knownNetwork{fields[1], strings.TrimPrefix(fields[2], "-")}
	}
	return out
})

// userTypes maps what databases write to our types: MaxMind's traits.user_type and
// IPinfo's type. What says nothing about who is behind (a router, a traveller, a
// privacy network) stays unknown.
var userTypes = map[string]string{
	"business":                 Business,
	"cellular":                 ISP,
	"college":                  Education,
	"content_delivery_network": Hosting,
	"dialup":                   ISP,
	"education":                Education,
	"government":               Government,
	"hosting":                  Hosting,
	"isp":                      ISP,
	"library":                  Education,
	"military":                 Government,
	"residential":              ISP,
	"school":                   Education,
	"search_engine_spider":     Hosting,
	"university":               Education,
}

// Network says what kind of network the result is in and, for a business, a school
// or a part of government, whose. The operator's database decides; the list in
// networks.tsv where it is silent; else nothing is known. Confidence says which:
// "high" for a database's own type, "medium" for the list. It is empty without a
// company.
func (r *Result) Network() (kind, company, domain, confidence string) {
	confidence = "high"
	company = r.Organization
	if kind = userTypes[r.UserType]; kind == "" {
		if r.UserType != "" || r.ASN == 0 {
			return "", "", "", ""
		}
		known := knownNetworks()[r.ASN]
		kind, company, confidence = known.kind, known.name, "medium"
	}
	switch kind {
	case Business, Education, Government:
		if company != "" {
			return kind, company, r.Domain, confidence
		}
	}
	return kind, "", "", ""
}
