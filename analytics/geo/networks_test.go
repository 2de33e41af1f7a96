package geo

import (
	"strconv"
	"strings"
	"testing"
)

func TestTheListOfNetworksIsInOrder(t *testing.T) {
	seen := map[string]bool{}
	lines := 0
	for line := range strings.Lines(networksFile) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Errorf("%q has %d fields", line, len(f))
			continue
		}
		if _, err := strconv.ParseUint(f[0], 10, 32); err != nil || seen[f[0]] {
			t.Errorf("%q: number wrong or twice", line)
		}
		seen[f[0]] = true
		if f[2] == "" || f[3] == "" {
			t.Errorf("%q lacks a name or a reason", line)
		}
		switch f[1] {
		case Business, Education, Government:
		case Hosting, ISP:
			if f[2] != "-" {
				t.Errorf("%q names a company", line)
			}
		default:
			t.Errorf("%q: unknown type", line)
		}
	}
	if len(knownNetworks()) != lines {
		t.Errorf("%d of %d lines were read", len(knownNetworks()), lines)
	}
}

func TestACompanyIsNamedForItsOwnNetworkOnly(t *testing.T) {
	tests := map[string]struct {
		in                                Result
		kind, company, domain, confidence string
	}{
		"nothing known":                        {Result{}, "", "", "", ""},
		"an unlisted network":                  {Result{ASN: 64500, Organization: "X University"}, "", "", "", ""},
		"a listed cloud":                       {Result{ASN: 16509, Organization: "Amazon"}, Hosting, "", "", ""},
		"a listed university":                  {Result{ASN: 3, Organization: "MIT"}, Education, "Massachusetts Institute of Technology", "", "medium"},
		"a network shared by universities":     {Result{ASN: 680, Organization: "DFN"}, Education, "", "", ""},
		"a business of the database":           {Result{ASN: 1, Organization: "Acme", Domain: "acme.example", UserType: "business"}, Business, "Acme", "acme.example", "high"},
		"a home":                               {Result{ASN: 1, Organization: "Acme", UserType: "residential"}, ISP, "", "", ""},
		"a database's word against the list's": {Result{ASN: 16509, Organization: "Acme", UserType: "business"}, Business, "Acme", "", "high"},
		"a type that says nothing":             {Result{ASN: 16509, UserType: "traveler"}, "", "", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			kind, company, domain, confidence := tt.in.Network()
			if kind != tt.kind || company != tt.company || domain != tt.domain || confidence != tt.confidence {
				t.Errorf("got %q %q %q %q", kind, company, domain, confidence)
			}
		})
	}
}
