package source

import "testing"

func TestTheAuthorityKeepsThePortThatWasAskedFor(t *testing.T) {
	for host, want := range map[string][2]string{
		"get.acme.org":       {"get.acme.org", "get.acme.org"},
		"Get.Acme.org.":      {"get.acme.org", "get.acme.org"},
		"get.acme.org:8443":  {"get.acme.org", "get.acme.org:8443"},
		"Get.acme.org.:8443": {"get.acme.org", "get.acme.org:8443"},
		"get.acme.org:":      {"get.acme.org", "get.acme.org"},
		"[::1]":              {"::1", "[::1]"},
		"[::1]:5000":         {"::1", "[::1]:5000"},
		"a b":                {"", ""},
		"":                   {"", ""},
		`x",realm="y`:        {"", ""},
	} {
		if name, withPort := authority(host); name != want[0] || withPort != want[1] {
			t.Errorf("%q is %q and %q", host, name, withPort)
		}
	}
}
