package geo

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/prometheus/client_golang/prometheus"
)

type object = mmdbtype.Map

func text(s string) mmdbtype.String { return mmdbtype.String(s) }

func names(s string) object { return object{"names": object{"en": text(s)}} }

// build makes a database in memory with one record for 198.51.100.0/24 and
// 2001:db8::/32.
func build(t testing.TB, kind string, built time.Time, value object) []byte {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: kind, BuildEpoch: built.Unix(), IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, cidr := range []string{"198.51.100.0/24", "2001:db8::/32"} {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, value); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	// As a careful operator does: a rename gives another inode.
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

var inside = netip.MustParseAddr("198.51.100.7")

func TestEveryShapeIsRead(t *testing.T) {
	tests := map[string]struct {
		value object
		want  Result
	}{
		"GeoLite2-Country": {
			object{"country": object{"iso_code": text("DE")}, "registered_country": object{"iso_code": text("US")}},
			Result{Country: "DE"},
		},
		"GeoIP2-City": {
			object{
				"country": object{"iso_code": text("DE")}, "city": names("Bremen"),
				"subdivisions": mmdbtype.Slice{names("Land Bremen")},
				"location":     object{"latitude": mmdbtype.Float64(53.07), "longitude": mmdbtype.Float64(8.8)},
			},
			Result{Country: "DE", City: "Bremen", State: "Land Bremen", Latitude: 53.07, Longitude: 8.8},
		},
		"GeoLite2-ASN": {
			object{"autonomous_system_number": mmdbtype.Uint32(64500), "autonomous_system_organization": text("Example Net")},
			Result{ASN: 64500, Organization: "Example Net"},
		},
		"GeoIP2-ISP": {
			object{
				"autonomous_system_number": mmdbtype.Uint32(64500), "autonomous_system_organization": text("Example Net"),
				"isp": text("Example ISP"), "organization": text("Example University"),
			},
			Result{ASN: 64500, Organization: "Example University"},
		},
		"GeoIP2-Enterprise": {
			object{
				"country": object{"iso_code": text("FR")},
				"traits": object{
					"autonomous_system_number": mmdbtype.Uint32(64501), "autonomous_system_organization": text("Net"),
					"organization": text("Lycée"), "user_type": text("school"), "domain": text("host.example"),
				},
			},
			Result{Country: "FR", ASN: 64501, Organization: "Lycée", UserType: "school"},
		},
		"ipinfo lite": {
			object{"country": text("Germany"), "country_code": text("DE"), "asn": text("AS15169"), "as_name": text("Google LLC"), "as_domain": text("Google.com")},
			Result{Country: "DE", ASN: 15169, Organization: "Google LLC", Domain: "google.com"},
		},
		"ipinfo standard_location": {
			object{"country": text("US"), "city": text("Ashburn"), "region": text("Virginia"), "lat": text("39.04"), "lng": text("-77.5")},
			Result{Country: "US", City: "Ashburn", State: "Virginia", Latitude: 39.04, Longitude: -77.5},
		},
		"country ipvAll": {object{"country_code": text("nl")}, Result{Country: "NL"}},
		"asn ipvAll": {
			object{"autonomous_system_number": mmdbtype.Uint32(64502), "autonomous_system_organization": text(" X ")},
			Result{ASN: 64502, Organization: "X"},
		},
		"a country that is none beside a number": {
			object{"country_code": text("EU"), "asn": text("64503")},
			Result{ASN: 64503},
		},
		"degrees that are none": {
			object{"country_code": text("NL"), "latitude": text("north"), "longitude": mmdbtype.Float64(1000)},
			Result{Country: "NL"},
		},
	}
	for kind, tt := range tests {
		t.Run(kind, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "x.mmdb"), build(t, kind, time.Now(), tt.value))
			d, err := Open(Options{Country: path, ASN: path, Registerer: prometheus.NewRegistry()})
			if err != nil {
				t.Fatal(err)
			}
			for _, addr := range []string{"198.51.100.7", "::ffff:198.51.100.7", "2001:db8::1"} {
				if got := d.Lookup(netip.MustParseAddr(addr)); got != tt.want {
					t.Errorf("%s: got %+v, want %+v", addr, got, tt.want)
				}
			}
			for _, addr := range []netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("::1"), {}} {
				if got := d.Lookup(addr); got != (Result{}) {
					t.Errorf("%s: got %+v", addr, got)
				}
			}
		})
	}
}

func TestAFileThatCannotServeIsAnErrorThatSaysWhy(t *testing.T) {
	dir := t.TempDir()
	good := build(t, "x", time.Now(), object{"country_code": text("NL")})
	tests := map[string]struct {
		data []byte
		want error
	}{
		"no database":                  {[]byte("hello"), ErrFormat},
		"an empty file":                {nil, ErrFormat},
		"half a file":                  {good[:len(good)/2], ErrFormat},
		"neither country nor a number": {build(t, "GeoIP2-Domain", time.Now(), object{"domain": text("example.org")}), ErrShape},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(dir, "x.mmdb"), tt.data)
			if _, err := Open(Options{ASN: path}); !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Open(Options{Country: filepath.Join(dir, "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestAChangedFileIsTakenUpAndABrokenOneIsNot(t *testing.T) {
	old := time.Now().Add(-90 * 24 * time.Hour)
	path := filepath.Join(t.TempDir(), "country.mmdb")
	write(t, path, build(t, "GeoLite2-Country", old, object{"country": object{"iso_code": text("DE")}}))
	d, err := Open(Options{Country: path})
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Status(); len(s) != 1 || !s[0].Stale || !strings.Contains(s[0].Warning(), old.UTC().Format(time.DateOnly)) {
		t.Errorf("status %+v", s)
	}
	if c := d.Credits(); len(c) != 1 || !strings.Contains(c[0].Text, "MaxMind") {
		t.Errorf("credits %+v", c)
	}
	write(t, path, []byte("broken"))
	d.check()
	if got := d.Lookup(inside); got.Country != "DE" || d.Status()[0].Error == "" {
		t.Errorf("after a broken file: %+v, %+v", got, d.Status())
	}
	if changed, err := d.place.reload(); changed || err != nil {
		t.Errorf("said twice: %v, %v", changed, err)
	}
	write(t, path, build(t, "GeoLite2-Country", time.Now(), object{"country": object{"iso_code": text("FR")}}))
	d.check()
	if got, s := d.Lookup(inside), d.Status()[0]; got.Country != "FR" || s.Warning() != "" {
		t.Errorf("after a good file: %+v, %+v", got, s)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	d.check()
	if got := d.Lookup(inside); got.Country != "FR" || d.Status()[0].Error == "" {
		t.Errorf("after it was removed: %+v, %+v", got, d.Status())
	}
}

func TestTheFileNamedForTheNetworkGoesFirst(t *testing.T) {
	dir := t.TempDir()
	place := write(t, filepath.Join(dir, "a"), build(t, "a", time.Now(), object{"country_code": text("NL"), "asn": text("AS1"), "as_name": text("One")}))
	network := write(t, filepath.Join(dir, "b"), build(t, "b", time.Now(), object{"country_code": text("DE"), "asn": text("AS2"), "as_name": text("Two")}))
	if err := os.WriteFile(place+".credit", []byte("By A\nhttps://a.example/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Open(Options{Country: place, ASN: network})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.Lookup(inside), (Result{Country: "NL", ASN: 2, Organization: "Two"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if c := d.Credits(); len(c) != 1 || c[0] != (Credit{"By A", "https://a.example/"}) {
		t.Errorf("credits %+v", c)
	}
}

func TestALookupOfAMetRecordDoesNotAllocate(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x"), build(t, "x", time.Now(), object{"country_code": text("NL")}))
	d, err := Open(Options{Country: path})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { d.Lookup(inside) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzADamagedFileNeverPanics(f *testing.F) {
	good := build(f, "x", time.Now(), object{"country": object{"iso_code": text("DE")}, "asn": text("AS1"), "lat": text("1.5")})
	f.Add(good, []byte{198, 51, 100, 7}, 0, byte(0))
	f.Add(good, inside.AsSlice(), len(good)-40, byte(0xff))
	f.Fuzz(func(_ *testing.T, data, addr []byte, at int, to byte) {
		data = bytes.Clone(data)
		if at >= 0 && at < len(data) {
			data[at] ^= to
		}
		db, err := parse(data)
		if err != nil {
			return
		}
		a, _ := netip.AddrFromSlice(addr)
		if a.IsValid() {
			_, _ = db.lookup(a)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	path := os.Getenv("GEO_COUNTRY")
	if path == "" {
		path = write(b, filepath.Join(b.TempDir(), "x"), build(b, "x", time.Now(), object{"country_code": text("NL")}))
	}
	asn := os.Getenv("GEO_ASN")
	d, err := Open(Options{Country: path, ASN: asn})
	if err != nil {
		b.Fatal(err)
	}
	addrs := make([]netip.Addr, 1<<12)
	x := uint32(1)
	for i := range addrs {
		x = x*1664525 + 1013904223
		addrs[i] = netip.AddrFrom4([4]byte{byte(x >> 24), byte(x >> 16), byte(x >> 8), 1})
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		d.Lookup(addrs[i&(len(addrs)-1)])
		i++
	}
}
