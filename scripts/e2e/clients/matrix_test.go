package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// The tag of every image here.
const tag = "1.2"

// pullCase is one way to pull, with all that is pulled in it.
type pullCase struct {
	name   string
	quick  bool // part of `make test`
	images []*image
}

// image is one image at a registry, and its name at the gateway.
type image struct {
	registry   string
	domain     string
	repository string // at the registry
	as         string // at the gateway; "": the same
	byDigest   bool
	multiArch  bool
	private    bool

	digest string // of what was pushed
}

func (i *image) public() string {
	if i.as != "" {
		return i.as
	}
	return i.repository
}

func (i *image) reference() string {
	if i.byDigest {
		return i.domain + "/" + i.public() + "@" + i.digest
	}
	return i.domain + "/" + i.public() + ":" + tag
}

// pkg names the image's package in the catalog and in the events.
func (i *image) pkg() string {
	return strings.NewReplacer(".", "-", "/", "-").Replace(i.domain + "-" + i.repository)
}

func newCases() []*pullCase {
	var cases []*pullCase
	for _, r := range []struct{ name, registry, domain string }{
		{"tokens", tokenRegistry, tokenDomain},
		{"no authentication", openRegistry, openDomain},
	} {
		cases = append(cases,
			&pullCase{r.name + ": by tag", true, []*image{{registry: r.registry, domain: r.domain, repository: "acme/tagged"}}},
			&pullCase{r.name + ": by digest", true, []*image{{registry: r.registry, domain: r.domain, repository: "acme/pinned", byDigest: true}}},
			&pullCase{r.name + ": several platforms", true, []*image{{registry: r.registry, domain: r.domain, repository: "acme/many", multiArch: true}}},
			&pullCase{r.name + ": renamed", false, []*image{{registry: r.registry, domain: r.domain, repository: "acme/rocket-skates", as: "rocket", multiArch: true}}},
		)
	}
	return append(cases,
		&pullCase{"tokens: private", false, []*image{{registry: tokenRegistry, domain: tokenDomain, repository: "acme/private", multiArch: true, private: true}}},
		&pullCase{"tokens: private and renamed", false, []*image{{registry: tokenRegistry, domain: tokenDomain, repository: "acme/private-skates", as: "skates", private: true}}},
		&pullCase{"two registries on one domain", false, []*image{
			{registry: tokenRegistry, domain: bothDomain, repository: "acme/from-tokens", multiArch: true},
			{registry: openRegistry, domain: bothDomain, repository: "acme/from-open", multiArch: true},
		}},
	)
}

func TestEveryClientPullsEveryImageAndIsCountedOnce(t *testing.T) {
	harness.NeedsSandbox(t)
	var tried []client
	for _, c := range clients {
		if *full || c.quick {
			harness.Needs(t, c.programs...)
			tried = append(tried, c)
		}
	}
	cases := slices.DeleteFunc(newCases(), func(c *pullCase) bool { return !*full && !c.quick })
	w := newWorld(t)
	w.publish(t, cases)

	report := &report{cases: cases}
	for _, c := range tried {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, w, c.name)
			row := report.row(t, m, c)
			pull := c.open(m)
			for _, pc := range cases {
				row.results[pc.name] = t.Run(pc.name, func(t *testing.T) {
					for _, i := range pc.images {
						if !w.pull(t, m, pull, i) {
							row.unversioned[pc.name] = true
						}
					}
				})
			}
			w.agent(row, m)
		})
	}
	t.Run("a second pull within a minute", w.foldsPulls(cases[0].images[0]))
	w.check(t)
	report.write(t)
}

// pull pulls one image and checks that it is the registry's, counted once. It says
// whether the version is known.
func (w *world) pull(t *testing.T, m *machine, pull puller, i *image) (versioned bool) {
	t.Helper()
	before := w.countedSoFar(i)
	login := ""
	if i.private {
		// Who has no credentials, or wrong ones, gets nothing; and no more than that
		// after somebody has pulled with good ones.
		w.refused(t, m, pull, i, "")
		w.refused(t, m, pull, i, harness.Puller+":guessed")
		defer w.refused(t, m, pull, i, "")
		login = harness.Puller + ":" + harness.PullerPassword
		m.login(i.domain, login)
	}
	digests, err := pull(t, i.reference(), login)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(digests, i.digest) {
		t.Errorf("the client has %v, the registry %s", digests, i.digest)
	}
	return w.counted(t, i, before+1)
}

// refused checks that an image can't be pulled with credentials, or with none.
func (w *world) refused(t *testing.T, m *machine, pull puller, i *image, login string) {
	t.Helper()
	if login == "" {
		m.login("", "")
	} else {
		m.login(i.domain, login)
	}
	before := w.countedSoFar(i)
	if _, err := pull(t, i.reference(), login); err == nil {
		t.Errorf("%s was pulled with %q for credentials", i.reference(), login)
	}
	if after := w.countedSoFar(i); after != before {
		t.Errorf("%d refused pulls are counted", after-before)
	}
}

func (w *world) countedSoFar(i *image) int {
	w.gateway.Settled()
	return w.gateway.Count(`select count(*) from events where counted and package = '%s'`, i.pkg())
}

// counted checks how many pulls of an image are counted, and the last one's row. It
// says whether that has the version.
func (w *world) counted(t *testing.T, i *image, want int) (versioned bool) {
	t.Helper()
	var rows []map[string]any
	harness.WaitFor(t, "the pull to be counted", func() error {
		w.gateway.Settled()
		rows = w.gateway.SQL(`select reference, version, digest, domain, status from events
			where counted and package = '%s' order by time`, i.pkg())
		if len(rows) < want {
			return fmt.Errorf("%d counted, want %d", len(rows), want)
		}
		return nil
	})
	if len(rows) != want {
		all, _ := json.MarshalIndent(w.gateway.SQL(`select time, type, path, status, counted, client, digest, origin_id
			from events where package = '%s' order by time`, i.pkg()), "", " ")
		t.Errorf("%d pulls counted, want %d; all rows: %s", len(rows), want, all)
		return false
	}
	last := rows[len(rows)-1]
	if last["domain"] != i.domain {
		t.Errorf("domain is %v, want %s", last["domain"], i.domain)
	}
	// A redirect by tag doesn't learn the digest.
	if last["digest"] != i.digest && last["digest"] != nil {
		t.Errorf("digest is %v, want %s", last["digest"], i.digest)
	}
	if i.byDigest {
		return true // there is none to know
	}
	// docker and containerd ask for the tag by HEAD and for the manifest by digest.
	// Where the registry is left to the client, nobody here learns of the digest
	// which tag led to it.
	byHead := last["reference"] == i.digest
	if last["version"] != tag && !(byHead && i.registry == openRegistry && last["version"] == nil) || !byHead && last["reference"] != tag {
		t.Errorf("version %v, reference %v, want %s", last["version"], last["reference"], tag)
	}
	return last["version"] != nil
}

// agent notes by which name the gateway knows a client.
func (w *world) agent(row *reportRow, m *machine) {
	rows := w.gateway.SQL(`select client, count(distinct client) as clients from events
		where counted group by client, time order by time desc limit 1`)
	if len(rows) == 1 {
		row.known = fmt.Sprint(rows[0]["client"])
	}
}

// foldsPulls checks that a pull is what one origin does within a minute, and that
// another origin's is another.
func (w *world) foldsPulls(i *image) func(*testing.T) {
	return func(t *testing.T) {
		first, second := newMachine(t, w, "first"), newMachine(t, w, "second")
		before := w.countedSoFar(i)
		for n, m := range []*machine{first, first, second} {
			if _, err := openSkopeo(m)(t, i.reference(), ""); err != nil {
				t.Fatal(err)
			}
			w.counted(t, i, before+[]int{1, 1, 2}[n])
		}
	}
}

// check checks what holds for all pulls together.
func (w *world) check(t *testing.T) {
	t.Helper()
	w.blobs.check(t)
	if n := w.gateway.Count(`select count(*) from events where type = 'blob-fetch' and status = 200`); n != 0 {
		t.Errorf("the bytes of %d blobs went through the gateway", n)
	}
	if n := w.gateway.Count(`select count(*) from events where counted and status >= 400`); n != 0 {
		t.Errorf("%d refused requests are counted", n)
	}
	for _, secret := range []string{"10.77.2.", harness.PullerPassword, "Bearer "} {
		if strings.Contains(w.gateway.Log(), secret) {
			t.Errorf("%q is in the gateway's log", secret)
		}
	}
	t.Logf("%d tokens were asked for", w.tokens.Asked())
}
