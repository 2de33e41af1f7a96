// Command geo builds asn.mmdb from the ranges of the npm package
// @ip-location-db/asn: geo DIRECTORY-OF-THE-PACKAGE asn.mmdb.
package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: geo PACKAGE-DIRECTORY OUTPUT")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "geo:", err)
		os.Exit(1)
	}
}

func build(from, to string) error {
	built, err := released(filepath.Join(from, "package.json"))
	if err != nil {
		return err
	}
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: "Tallygate-ASN", BuildEpoch: built.Unix(), RecordSize: 24,
		Description:  map[string]string{"en": "Networks by RouteViews, DB-IP and NRO (CC BY 4.0), from ip-location-db"},
		KeyGenerator: byNumber{},
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"asn-ipv4.csv", "asn-ipv6.csv"} {
		if err := insert(tree, filepath.Join(from, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	out, err := os.Create(to + ".new")
	if err != nil {
		return err
	}
	if _, err := tree.WriteTo(out); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(to+".new", to)
}

func insert(tree *mmdbwriter.Tree, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	rows := csv.NewReader(f)
	rows.ReuseRecord, rows.FieldsPerRecord = true, 4
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		asn, err := strconv.ParseUint(row[2], 10, 32)
		if err != nil {
			return err
		}
		start, end := net.ParseIP(row[0]), net.ParseIP(row[1])
		if start == nil || end == nil {
			return fmt.Errorf("no range: %s to %s", row[0], row[1])
		}
		err = tree.InsertRange(start, end, mmdbtype.Map{
			"autonomous_system_number":       mmdbtype.Uint32(asn),
			"autonomous_system_organization": mmdbtype.String(row[3]),
		})
		// Teredo (2001::/32) and 6to4 (2002::/16) are aliases of IPv4 in the format,
		// and reserved ranges have no owner.
		var aliased *mmdbwriter.AliasedNetworkError
		var reserved *mmdbwriter.ReservedNetworkError
		if err != nil && !errors.As(err, &aliased) && !errors.As(err, &reserved) {
			return err
		}
	}
}

// byNumber tells records apart by number and name, cheaper than by a hash.
type byNumber struct{}

func (byNumber) Key(v mmdbtype.DataType) ([]byte, error) {
	m, ok := v.(mmdbtype.Map)
	if !ok {
		return nil, fmt.Errorf("a record is a %T", v)
	}
	n, name := m["autonomous_system_number"].(mmdbtype.Uint32), m["autonomous_system_organization"].(mmdbtype.String)
	return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, name...), nil
}

// released reads the day of the data from the package's version, as in
// 2.3.2026061719.
func released(path string) (time.Time, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	var p struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return time.Time{}, err
	}
	day := p.Version[strings.LastIndexByte(p.Version, '.')+1:]
	if len(day) < 8 {
		return time.Time{}, fmt.Errorf("the version %q ends in no date", p.Version)
	}
	return time.Parse("20060102", day[:8])
}
