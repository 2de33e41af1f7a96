package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func valid() Config {
	return Config{
		DataDir: "data", Name: "n1", Region: "eu", GatewayListen: ":8080", AdminListen: "127.0.0.1:8090",
		BaseDomain: "gateway.localhost", ManifestOwner: "default", Analytics: true, SpoolSync: "2m",
		SpoolMaxBytes: "10GB", AnalyticsMemory: "1GB", LogLevel: "info", LogFormat: "text",
	}
}

func TestDefaultsAreValid(t *testing.T) {
	c := valid()
	s, err := c.Validate()
	if err != nil {
		t.Fatal(err)
	}
	if s.SpoolMaxBytes != 10_000_000_000 || s.AnalyticsMemory != 1_000_000_000 {
		t.Errorf("sizes %d, %d", s.SpoolMaxBytes, s.AnalyticsMemory)
	}
}

func TestOneWrongFieldIsNamed(t *testing.T) {
	tests := map[string]struct {
		set   func(*Config)
		field string
	}{
		"a listener without a port":              {func(c *Config) { c.GatewayListen = "8080" }, "gateway-listen"},
		"a port out of range":                    {func(c *Config) { c.GatewayListen = ":99999" }, "gateway-listen"},
		"a listener on a foreign name":           {func(c *Config) { c.AdminListen = "example.org:80" }, "admin-listen"},
		"an admin listener open to the network":  {func(c *Config) { c.AdminListen = "0.0.0.0:8090" }, "admin-listen"},
		"an admin listener on all addresses":     {func(c *Config) { c.AdminListen = ":8090" }, "admin-listen"},
		"a base domain that is a URL":            {func(c *Config) { c.BaseDomain = "https://get.acme.org/" }, "base-domain"},
		"a base domain with a space":             {func(c *Config) { c.BaseDomain = "get acme" }, "base-domain"},
		"a proxy that is no network":             {func(c *Config) { c.Proxies = []string{"10.0.0.0/99"} }, "trusted-proxies"},
		"a size without digits":                  {func(c *Config) { c.SpoolMaxBytes = "big" }, "spool-max-bytes"},
		"a spool too small for its segments":     {func(c *Config) { c.SpoolMaxBytes = "1kB" }, "spool-max-bytes"},
		"a sync interval without unit":           {func(c *Config) { c.SpoolSync = "5" }, "spool-sync"},
		"an unknown log level":                   {func(c *Config) { c.LogLevel = "loud" }, "log-level"},
		"an unknown log format":                  {func(c *Config) { c.LogFormat = "xml" }, "log-format"},
		"a network database that is not there":   {func(c *Config) { c.GeoCountry = "/nonexistent/c.mmdb" }, "geo-country"},
		"a network database that is a folder":    {func(c *Config) { c.GeoASN = "/" }, "geo-asn"},
		"a manifest that is not there":           {func(c *Config) { c.Manifest = "/nonexistent/m.json" }, "manifest"},
		"a node name with a slash":               {func(c *Config) { c.Name = "a/b" }, "name"},
		"an empty data directory":                {func(c *Config) { c.DataDir = " " }, "data-dir"},
		"a data directory too deep for a socket": {func(c *Config) { c.DataDir = "/" + strings.Repeat("d", 100) }, "data-dir"},
		"a region with a newline":                {func(c *Config) { c.Region = "eu\nus" }, "region"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := valid()
			tt.set(&c)
			_, err := c.Validate()
			var f *FieldError
			if !errors.As(err, &f) || f.Field != tt.field {
				t.Errorf("got %v, want an error of %s", err, tt.field)
			}
		})
	}
}

func TestEveryWrongFieldIsNamedAtOnce(t *testing.T) {
	c := valid()
	c.GatewayListen, c.LogLevel, c.Proxies = "nope", "loud", []string{"x", "10.0.0.0/8", "y"}
	_, err := c.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 4 {
		t.Errorf("got %v, want 4 errors", err)
	}
}

func TestATrustedProxyMayBeOneAddress(t *testing.T) {
	c := valid()
	c.Proxies = []string{"192.0.2.7", "2001:db8::/32"}
	s, err := c.Validate()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.Proxies {
		got = append(got, p.String())
	}
	if want := []string{"192.0.2.7/32", "2001:db8::/32"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSuggestNamesTheNearestWordOnly(t *testing.T) {
	words := []string{"region", "name", "gateway-listen"}
	if got := Suggest("regoin", words); !strings.Contains(got, `"region"`) {
		t.Errorf("got %q", got)
	}
	if got := Suggest("xyzzy-plugh", words); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}
