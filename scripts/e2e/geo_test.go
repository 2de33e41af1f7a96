package e2e

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"tallygate/scripts/e2e/harness"
)

// countries writes a database that knows one network of the documentation range.
func countries(t *testing.T) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-Country", RecordSize: 24, IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	_, network, err := net.ParseCIDR("203.0.113.0/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Insert(network, mmdbtype.Map{"country_code": mmdbtype.String("DE")}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "country.mmdb")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheCountryIsKnownAndTheAddressIsNowhere(t *testing.T) {
	n := harness.StartNode(t, "--trusted-proxies", "127.0.0.1", "--geo-country", countries(t), "--log-level", "debug")
	n.Apply(filesCatalog("https://origin.example"))
	const address = "203.0.113.77"
	forwarded := []string{"X-Forwarded-For", address, "Forwarded", "for=" + address}
	for range 3 {
		n.Get("GET", "get.acme.test", "/dl/1.2/linux.tgz", forwarded...)
	}
	n.Get("GET", "get.acme.test", "/ping", forwarded...)
	n.Get("GET", "get.acme.test", "/nothing", forwarded...)
	n.Get("GET", "get.acme.test", "/ping", "X-Forwarded-For", address+", not an address")
	n.Settled()
	rows := n.SQL("select distinct country from events where type = 'binary-download'")
	if len(rows) != 1 || rows[0]["country"] != "DE" {
		t.Errorf("countries are %v, want DE", rows)
	}
	n.Stop()

	addr := netip.MustParseAddr(address)
	four := addr.As4()
	number := uint64(four[0])<<24 | uint64(four[1])<<16 | uint64(four[2])<<8 | uint64(four[3])
	forms := map[string][]byte{
		"text": []byte(address), "truncated text": []byte("203.0.113."), "hex": []byte(hex.EncodeToString(four[:])),
		"4 bytes": four[:], "integer": []byte(strconv.FormatUint(number, 10)),
	}
	files := 0
	err := filepath.WalkDir(n.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for form, b := range forms {
			if bytes.Contains(data, b) {
				t.Errorf("%s holds the address as %s", path, form)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 5 {
		t.Errorf("only %d files were searched", files)
	}
	for form, b := range forms {
		if bytes.Contains([]byte(n.Log()), b) {
			t.Errorf("the log holds the address as %s", form)
		}
	}
}
