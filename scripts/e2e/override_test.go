package e2e

import (
	"net/http"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

func TestVariableOverridesApplyToNewEvents(t *testing.T) {
	n := harness.StartNode(t)
	catalog := func(overrides string) string {
		return `
organizations:
  - name: acme
    variable_overrides: {` + overrides + `}
packages:
  - {owner: acme, name: rocket, type: file, domains: [get.acme.test], routes: [{incoming_path: "/dl/{build}/{os}", outgoing_url: "https://origin.example/{build}/{os}"}]}
  - {owner: acme, name: events, type: event, domains: [get.acme.test], incoming_path: /events}
pixels:
  - {owner: acme, name: home, id: p-home, domains: [get.acme.test]}
`
	}
	ask := func(mark string) {
		t.Helper()
		n.Get("GET", "get.acme.test", "/dl/7/darwin?mark="+mark)
		n.Get("GET", "get.acme.test", "/a.png?x-pxid=p-home&screen=/pricing&mark="+mark)
		if _, status, err := post(http.DefaultClient, n.Gateway, "get.acme.test", "/events", `{"build": 7, "os": "darwin", "screen": "/pricing", "mark": "`+mark+`"}`); err != nil || status != 200 {
			t.Fatalf("status %d, %v", status, err)
		}
	}
	n.Apply(catalog(""))
	ask("before")
	n.Apply(catalog("build: version, os: platform, screen: page"))
	ask("after")
	n.Settled()

	tests := []struct {
		name, where, mark       string
		version, platform, page any
	}{
		{"a route's before", "type = 'binary-download'", "before", nil, nil, nil},
		{"a route's after", "type = 'binary-download'", "after", "7", "macos", nil},
		{"a pixel's before", "type = 'pixel-fetch'", "before", nil, nil, nil},
		{"a pixel's after", "type = 'pixel-fetch'", "after", nil, nil, "/pricing"},
		{"a body's before", "type = 'event'", "before", nil, nil, nil},
		{"a body's after", "type = 'event'", "after", "7", "macos", "/pricing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := n.SQL(`select version, platform, page, variables from events where %s and variables['mark'] = '%s'`, tt.where, tt.mark)
			if len(rows) != 1 {
				t.Fatalf("%d rows, want 1: %v", len(rows), rows)
			}
			row := rows[0]
			if row["version"] != tt.version || row["platform"] != tt.platform || row["page"] != tt.page {
				t.Errorf("version %v, platform %v, page %v; want %v, %v, %v", row["version"], row["platform"], row["page"], tt.version, tt.platform, tt.page)
			}
			if v := variables(t, row); v["build"] == "" && v["screen"] == "" {
				t.Errorf("variables %v lost their own names", v)
			}
		})
	}
}

func TestAnOverrideOfSomethingElseIsRefused(t *testing.T) {
	n := harness.StartNode(t)
	_, err := n.TryIn("organizations: [{name: acme, variable_overrides: {build: colour}}]", "apply", "-f", "-")
	if err == nil {
		t.Fatal("it was applied")
	}
	for _, want := range []string{"variable_overrides", "colour", "version"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q:\n%v", want, err)
		}
	}
}
