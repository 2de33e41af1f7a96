package clients

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// report is what was run, for docs/clients.md.
type report struct {
	cases []*pullCase
	rows  []*reportRow
}

type reportRow struct {
	name    string
	version string
	known   string // the client's name in the events
	results map[string]bool

	unversioned map[string]bool // cases whose pull has no version in the events
}

func (r *report) row(t *testing.T, m *machine, c client) *reportRow {
	t.Helper()
	row := &reportRow{name: c.name, version: "?", results: map[string]bool{}, unversioned: map[string]bool{}}
	if out, err := m.run(append([]string{program(c.programs[0])}, c.version...)...); err != nil {
		t.Error(err)
	} else if v := regexp.MustCompile(`v?\d+\.\d+\.\d+[^\s,]*`).FindString(out); v != "" {
		row.version = strings.TrimSuffix(v, "+unknown") // built without a checkout
	}
	r.rows = append(r.rows, row)
	return row
}

const reportHead = `# Container clients

<!-- Written by the tests: make e2e-full MATRIX=docs/clients.md -->

What was pulled through the gateway by real clients, over TLS with a private CA, each from a network
namespace with an address of its own. ✓: the client holds the registry's digest, and exactly one pull
is counted for it. Each image was pulled from

- **tokens**: docker-registry %[1]s behind a token server (JWT, ES256), which redirects blobs to another
  host by signed URLs; that host refuses a URL that lost a byte, and credentials that were not for it;
- **no authentication**: docker-registry %[1]s that asks nobody for anything.

Private images were pulled with the credentials of a login at the gateway's name, and refused with wrong
ones and without any, before and after. Renamed images have another name at the gateway than at the
registry. No blob's bytes went through the gateway.

`

const reportNote = `
¹ Counted without a version. The client asks which digest a tag leads to by HEAD and fetches by digest;
where the registry needs no authentication it gives both answers itself.
`

// write writes the report where -write asks for it.
func (r *report) write(t *testing.T) {
	t.Helper()
	if *write == "" {
		return
	}
	if !*full {
		t.Error("-write needs -full")
		return
	}
	out, err := exec.Command("docker-registry", "--version").Output()
	if err != nil {
		t.Error(err)
	}
	fields := strings.Fields(string(out))
	var b strings.Builder
	fmt.Fprintf(&b, reportHead, strings.TrimSuffix(fields[len(fields)-1], "+ds1"))
	b.WriteString("| pull |")
	for _, row := range r.rows {
		fmt.Fprintf(&b, " %s |", row.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.rows)))
	b.WriteString("\n| version |")
	for _, row := range r.rows {
		fmt.Fprintf(&b, " %s |", row.version)
	}
	b.WriteString("\n| `client` in the events |")
	for _, row := range r.rows {
		fmt.Fprintf(&b, " `%s` |", row.known)
	}
	noted := false
	for _, c := range r.cases {
		fmt.Fprintf(&b, "\n| %s |", c.name)
		for _, row := range r.rows {
			result := "**✗**"
			switch {
			case row.results[c.name] && row.unversioned[c.name]:
				result, noted = "✓ ¹", true
			case row.results[c.name]:
				result = "✓"
			}
			fmt.Fprintf(&b, " %s |", result)
		}
	}
	b.WriteString("\n")
	if noted {
		b.WriteString(reportNote)
	}
	if err := os.WriteFile(*write, []byte(b.String()), 0o644); err != nil {
		t.Error(err)
	}
}
