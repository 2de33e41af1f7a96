// Package config is the node's one configuration struct. Defaults, then the
// file, then the environment, then flags decide a value; one Validate names every
// wrong field at once. Packages of the node take their own small options, never
// this struct. Rules that the cluster shares are catalog, not configuration.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
)

// Config is what `tallygate run` is told. Fields hold the text that was given;
// [Config.Validate] turns it into [Settings].
type Config struct {
	DataDir string `name:"data-dir" default:"./data" help:"Directory of everything the node keeps. DATA/admin.sock in it gives the local operator full rights." placeholder:"DIR"`
	Name    string `name:"name" help:"Name of this node in the cluster. Default: the host name." placeholder:"NAME"`
	Region  string `name:"region" default:"local" help:"Region this node serves from." placeholder:"REGION"`

	GatewayListen    string `name:"gateway-listen" default:":8080" help:"Public HTTP/1.1 listener." placeholder:"ADDR"`
	GatewayTLSListen string `name:"gateway-tls-listen" default:"off" help:"Public HTTPS listener (HTTP/1.1 and HTTP/2), or off." placeholder:"ADDR|off"`
	GatewayTLSCert   string `name:"gateway-tls-cert" help:"Certificate of the HTTPS listener in PEM, followed by intermediate ones. Read again when it changes." placeholder:"FILE"`
	GatewayTLSKey    string `name:"gateway-tls-key" help:"Private key of --gateway-tls-cert in PEM." placeholder:"FILE"`

	AdminListen   string `name:"admin-listen" default:"127.0.0.1:8090" help:"Admin UI, API, /healthz, /readyz and /metrics." placeholder:"ADDR"`
	AdminInsecure bool   `name:"admin-insecure" help:"Allow plain HTTP on an --admin-listen address that is not loopback. Passwords and sessions then cross the network in clear."`

	BaseDomain    string   `name:"base-domain" default:"gateway.localhost" help:"Owner hosts are OWNER.docker.BASE and OWNER.gateway.BASE; pixels are on static.BASE." placeholder:"NAME"`
	Manifest      string   `name:"manifest" help:"Import this gateway manifest at start (idempotent)." placeholder:"FILE"`
	ManifestOwner string   `name:"manifest-owner" default:"default" help:"Owner of manifest rules that name none." placeholder:"OWNER"`
	Proxies       []string `name:"trusted-proxies" help:"CIDRs whose X-Forwarded-For, Forwarded and X-Forwarded-Host are believed." placeholder:"CIDR,…"`
	AllowPrivate  bool     `name:"allow-private-origins" help:"Allow origins on private, loopback and link-local addresses."`

	GeoCountry string `name:"geo-country" help:"Network database (.mmdb) that tells the country, and the city where it has it. Default: DATA/geo/country.mmdb if it is there. Taken up again when it changes." placeholder:"FILE"`
	GeoASN     string `name:"geo-asn" help:"Network database (.mmdb) that tells network and organization; may be the same file. Default: DATA/geo/asn.mmdb if it is there." placeholder:"FILE"`

	Analytics       bool   `name:"analytics" default:"true" negatable:"" help:"Store events in DuckDB and answer questions here."`
	SpoolSync       string `name:"spool-sync" default:"2m" help:"When the spool's file is forced to disk: always (survives a power cut, costs throughput) or an interval. A killed process loses nothing acknowledged either way." placeholder:"always|DURATION"`
	SpoolMaxBytes   string `name:"spool-max-bytes" default:"10GB" help:"Largest size of the spool. When it is full, collection is refused and other events are counted as dropped." placeholder:"SIZE"`
	AnalyticsMemory string `name:"analytics-memory" default:"1GB" help:"DuckDB's memory limit. One heavy query can take more." placeholder:"SIZE"`

	LogLevel  string `name:"log-level" default:"info" help:"debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat string `name:"log-format" default:"text" help:"text or json." placeholder:"FORMAT"`
}

// Settings are the checked values of a [Config].
type Settings struct {
	DataDir       string
	Name          string
	Region        string
	GatewayListen string
	GatewayTLS    *GatewayTLS // nil: off
	AdminListen   string
	BaseDomain    string
	Manifest      string
	ManifestOwner string
	Proxies       []netip.Prefix
	AllowPrivate  bool
	Analytics     bool

	GeoCountry string // path; empty: none
	GeoASN     string

	SpoolSync       string // "always", or a duration between syncs
	SpoolMaxBytes   int64
	AnalyticsMemory int64 // bytes

	LogLevel  slog.Level
	LogFormat string

	// AdminToken becomes the operator's first token in an empty catalog.
	AdminToken string
}

// GatewayTLS is the public HTTPS listener.
type GatewayTLS struct {
	Listen      string
	Certificate string // path of a PEM file
	Key         string // path of a PEM file
}

// FieldError is one wrong field, named as its flag.
type FieldError struct {
	Field   string
	Value   string
	Message string // what is wrong and what to write instead
	Place   string // FILE:LINE where a file gave the value; else empty
}

func (e *FieldError) Error() string {
	if e.Place != "" {
		return fmt.Sprintf("%s: %s %q: %s", e.Place, e.Field, e.Value, e.Message)
	}
	return fmt.Sprintf("--%s %q: %s", e.Field, e.Value, e.Message)
}

var nodeName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62})$`)

// Validate checks every field and returns all that is wrong, joined.
func (c *Config) Validate() (*Settings, error) {
	v := &validator{}
	s := &Settings{
		DataDir:       v.need("data-dir", c.DataDir),
		Name:          c.Name,
		Region:        c.Region,
		GatewayListen: v.address("gateway-listen", c.GatewayListen),
		AdminListen:   v.address("admin-listen", c.AdminListen),
		BaseDomain:    v.domain("base-domain", c.BaseDomain),
		Manifest:      c.Manifest,
		ManifestOwner: c.ManifestOwner,
		AllowPrivate:  c.AllowPrivate,
		Analytics:     c.Analytics,
		LogFormat:     c.LogFormat,
		AdminToken:    os.Getenv("TALLYGATE_ADMIN_TOKEN"),
	}
	v.socket("data-dir", c.DataDir)
	s.GatewayTLS = v.gatewayTLS(c)
	if s.Name == "" {
		s.Name, _ = os.Hostname()
	}
	if !nodeName.MatchString(s.Name) {
		v.wrong("name", s.Name, "use 1 to 63 letters, digits, dots, dashes or underscores, a letter or digit first")
	}
	if !nodeName.MatchString(s.Region) {
		v.wrong("region", s.Region, "use 1 to 63 letters, digits, dots, dashes or underscores, a letter or digit first")
	}
	if c.Manifest != "" {
		if _, err := os.Stat(c.Manifest); err != nil {
			v.wrong("manifest", c.Manifest, fmt.Sprintf("can't be read: %v", errors.Unwrap(err)))
		}
	}
	for _, p := range c.Proxies {
		if prefix, ok := parsePrefix(p); ok {
			s.Proxies = append(s.Proxies, prefix)
		} else {
			v.wrong("trusted-proxies", p, "is neither an address nor a CIDR; write 10.0.0.0/8 or 192.0.2.7")
		}
	}
	if !c.AdminInsecure && s.AdminListen != "" && !loopback(s.AdminListen) {
		v.wrong("admin-listen", c.AdminListen, "is not a loopback address, and plain HTTP would show passwords and sessions to the network; listen on 127.0.0.1 behind a TLS proxy, or force it with --admin-insecure")
	}
	s.GeoCountry = v.database("geo-country", c.GeoCountry, filepath.Join(c.DataDir, "geo", "country.mmdb"))
	s.GeoASN = v.database("geo-asn", c.GeoASN, filepath.Join(c.DataDir, "geo", "asn.mmdb"))
	s.SpoolSync = v.sync("spool-sync", c.SpoolSync)
	s.SpoolMaxBytes = v.size("spool-max-bytes", c.SpoolMaxBytes, 16<<20)
	s.AnalyticsMemory = v.size("analytics-memory", c.AnalyticsMemory, 64<<20)
	if err := s.LogLevel.UnmarshalText([]byte(c.LogLevel)); err != nil {
		v.wrong("log-level", c.LogLevel, "use debug, info, warn or error")
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		v.wrong("log-format", c.LogFormat, "use text or json")
	}
	if s.AdminToken != "" && len(s.AdminToken) < 16 {
		v.errs = append(v.errs, errors.New("TALLYGATE_ADMIN_TOKEN: is shorter than 16 characters; use a random one, as from: openssl rand -hex 24"))
	}
	return s, errors.Join(v.errs...)
}

type validator struct{ errs []error }

func (v *validator) wrong(field, value, message string) {
	v.errs = append(v.errs, &FieldError{Field: field, Value: value, Message: message})
}

func (v *validator) need(field, value string) string {
	if strings.TrimSpace(value) == "" {
		v.wrong(field, value, "must not be empty")
	}
	return value
}

// socketLimit is the longest path of a socket in bytes: sun_path of unix(7), less
// the zero byte at its end.
const socketLimit = 107

// socket refuses a data directory whose path leaves no room for the operator's
// socket, which the kernel would call an invalid argument.
func (v *validator) socket(field, dir string) {
	path, err := filepath.Abs(filepath.Join(dir, "admin.sock"))
	if err == nil && len(path) > socketLimit {
		v.wrong(field, dir, fmt.Sprintf("is too long: the socket %s would have %d bytes, and the system allows %d; choose a shorter path", path, len(path), socketLimit))
	}
}

// database is the path that was given or else the usual one, where there is a file.
// Whether it can serve is seen when it is opened.
func (v *validator) database(field, value, usual string) string {
	path := value
	if path == "" {
		path = usual
	}
	info, err := os.Stat(path)
	switch {
	case value == "" && errors.Is(err, os.ErrNotExist):
		return ""
	case err != nil:
		v.wrong(field, path, fmt.Sprintf("can't be read: %v", errors.Unwrap(err)))
	case info.IsDir():
		v.wrong(field, path, "is a directory; name a file, as GeoLite2-Country.mmdb")
	}
	return path
}

func (v *validator) address(field, value string) string {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		v.wrong(field, value, "is not HOST:PORT; write :8080 for all addresses or 127.0.0.1:8080 for one")
		return ""
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.wrong(field, value, fmt.Sprintf("has the port %q; use a number from 0 (any free one) to 65535", port))
		return ""
	}
	if host != "" && host != "localhost" {
		if _, err := netip.ParseAddr(host); err != nil {
			v.wrong(field, value, fmt.Sprintf("has the host %q; use an address of this machine", host))
			return ""
		}
	}
	return value
}

func (v *validator) domain(field, value string) string {
	name := strings.ToLower(strings.TrimSuffix(value, "."))
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || ascii == "" || strings.ContainsAny(value, ":/") {
		if u, perr := url.Parse(value); perr == nil && u.Host != "" {
			v.wrong(field, value, fmt.Sprintf("is a URL; write the name alone: %s", u.Hostname()))
		} else {
			v.wrong(field, value, "is not a domain name; write one like gateway.example.org")
		}
		return ""
	}
	return ascii
}

func (v *validator) sync(field, value string) string {
	if d, err := time.ParseDuration(value); value != "always" && (err != nil || d < time.Millisecond) {
		v.wrong(field, value, "use always, or an interval of at least 1ms like 500ms or 2m")
	}
	return value
}

var sizeText = regexp.MustCompile(`(?i)^([0-9]+(?:\.[0-9]+)?)\s*(b|kb|mb|gb|tb|kib|mib|gib|tib)?$`)

func (v *validator) size(field, value string, least int64) int64 {
	m := sizeText.FindStringSubmatch(strings.TrimSpace(value))
	if m == nil {
		v.wrong(field, value, "is not a size; write one like 512MB or 10GB")
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	unit := map[string]float64{
		"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}[strings.ToLower(m[2])]
	if n *= unit; err != nil || n < float64(least) || n > 1<<50 {
		v.wrong(field, value, fmt.Sprintf("must be between %d MiB and 1 PiB", least>>20))
		return 0
	}
	return int64(n)
}

func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	return netip.Prefix{}, false
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
