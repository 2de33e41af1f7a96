package geo

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/oschwald/maxminddb-golang/v2"
)

// The places of each field in the shapes that are known, most telling first. A
// field of another type than expected counts as not there, since the same name
// means other things to other makers: "country" is a map to MaxMind and a text to
// IPinfo.
var (
	countryPaths = [][]any{
		{"country", "iso_code"}, // MaxMind, DB-IP
		{"country_code"},        // ip-location-db, IPinfo Lite
		{"country"},             // IPinfo
	}
	statePaths = [][]any{
		{"subdivisions", 0, "names", "en"},
		{"subdivisions", 0, "iso_code"},
		{"region"}, // IPinfo
		{"state1"}, // ip-location-db
	}
	cityPaths      = [][]any{{"city", "names", "en"}, {"city"}}
	latitudePaths  = [][]any{{"location", "latitude"}, {"latitude"}, {"lat"}}
	longitudePaths = [][]any{{"location", "longitude"}, {"longitude"}, {"lng"}}
	asnPaths       = [][]any{
		{"autonomous_system_number"},           // GeoLite2-ASN, GeoIP2-ISP, ip-location-db
		{"traits", "autonomous_system_number"}, // GeoIP2-Enterprise
		{"asn"},                                // IPinfo: "AS15169"
	}
	organizationPaths = [][]any{
		{"traits", "organization"},
		{"organization"},
		{"traits", "autonomous_system_organization"},
		{"autonomous_system_organization"},
		{"as_name"}, // IPinfo Lite
		{"name"},    // IPinfo ASN
		{"traits", "isp"},
		{"isp"},
	}
	domainPaths   = [][]any{{"as_domain"}, {"domain"}} // IPinfo; MaxMind's "domain" is of the host, not of its owner
	userTypePaths = [][]any{{"traits", "user_type"}, {"user_type"}, {"as_type"}, {"type"}}
)

// decode reads a record field by field. Its error is of a damaged database.
func decode(from maxminddb.Result) (Result, error) {
	d := decoder{from: from}
	r := Result{
		Country:      country(d.text(countryPaths)),
		State:        d.text(statePaths),
		City:         d.text(cityPaths),
		Latitude:     d.degrees(latitudePaths, 90),
		Longitude:    d.degrees(longitudePaths, 180),
		ASN:          d.asn(),
		Organization: d.text(organizationPaths),
		Domain:       strings.ToLower(d.text(domainPaths)),
		UserType:     strings.ToLower(d.text(userTypePaths)),
	}
	if d.err != nil {
		return Result{}, d.err
	}
	return r, nil
}

type decoder struct {
	from maxminddb.Result
	err  error // the first
}

// get decodes into v, a pointer to a pointer, what is at the path.
func (d *decoder) get(v any, path []any) {
	err := d.from.DecodePath(v, path...)
	if err == nil || d.err != nil {
		return
	}
	var other maxminddb.UnmarshalTypeError
	if !errors.As(err, &other) && !d.passesText(path) {
		d.err = err
	}
}

// passesText says whether the path leads through a value that is no map: the
// library takes that for damage.
func (d *decoder) passesText(path []any) bool {
	if len(path) < 2 {
		return false
	}
	var s *string
	return d.from.DecodePath(&s, path[0]) == nil && s != nil
}

// longest is how much of a text is taken, in bytes: these are names.
const longest = 200

func (d *decoder) text(paths [][]any) string {
	for _, path := range paths {
		var s *string
		if d.get(&s, path); s == nil {
			continue
		}
		out := strings.TrimSpace(strings.ToValidUTF8(*s, ""))
		if len(out) > longest {
			cut := longest
			for !utf8.RuneStart(out[cut]) {
				cut--
			}
			out = out[:cut]
		}
		if out != "" {
			return out
		}
	}
	return ""
}

func (d *decoder) degrees(paths [][]any, most float64) float64 {
	for _, path := range paths {
		var f *float64
		d.get(&f, path)
		if f == nil {
			var s *string
			if d.get(&s, path); s == nil {
				continue
			}
			parsed, err := strconv.ParseFloat(*s, 64)
			if err != nil {
				continue
			}
			f = &parsed
		}
		if !math.IsNaN(*f) && math.Abs(*f) <= most {
			return *f
		}
	}
	return 0
}

func (d *decoder) asn() uint32 {
	for _, path := range asnPaths {
		var n *uint64
		if d.get(&n, path); n != nil {
			if *n <= math.MaxUint32 {
				return uint32(*n)
			}
			continue
		}
		var s *string
		if d.get(&s, path); s == nil {
			continue
		}
		digits := *s
		if len(digits) > 2 && strings.EqualFold(digits[:2], "AS") {
			digits = digits[2:]
		}
		if n, err := strconv.ParseUint(digits, 10, 32); err == nil {
			return uint32(n)
		}
	}
	return 0
}
