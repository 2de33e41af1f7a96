package e2e

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"tallygate/scripts/e2e/harness"
)

// The conformance suite of the distribution specification finds through the gateway
// what it finds at the registry itself: in its pull and content discovery
// workflows, for a renamed image, with and without authentication behind it.
func TestTheConformanceSuiteFindsNoDifference(t *testing.T) {
	harness.Needs(t, "docker-registry")
	suite, err := harness.LookPath("conformance")
	if err != nil {
		t.Skip("the conformance suite is not built: make conformance")
	}
	for name, reg := range map[string]*harness.Registry{
		"without authentication": harness.StartRegistry(t, harness.RegistryOptions{}),
		"with tokens":            startRegistry(t),
	} {
		t.Run(name, func(t *testing.T) {
			data := conformanceData(t, reg)
			n := harness.StartNode(t)
			n.Apply(fmt.Sprintf(`
organizations: [{name: acme}]
packages:
  - {owner: acme, name: rocket, type: docker, image: "%s/acme/rocket-skates", public_name: deep/er/rocket, plain_http: true, always_proxy: true, domains: [localhost]}
`, reg.Address))
			_, port, _ := strings.Cut(n.Gateway, ":")
			direct := conform(t, suite, reg.Address, "acme/rocket-skates", data)
			through := conform(t, suite, "localhost:"+port, "deep/er/rocket", data)
			// This registry knows no referrers and trips over one kind of broken
			// digest. We may do better than it, never worse.
			passed := 0
			for _, test := range slices.Sorted(maps.Keys(through)) {
				status := through[test]
				if status == "Pass" {
					passed++
				}
				if direct[test] != status && status != "Pass" {
					t.Errorf("%s: %q at the registry, %q through the gateway", test, direct[test], status)
				} else if status == "FAIL" {
					t.Logf("%s fails at the registry, too", test)
				}
			}
			for test := range direct {
				if _, ran := through[test]; !ran {
					t.Errorf("%s did not run through the gateway", test)
				}
			}
			t.Logf("%d of %d tests passed; others write, or fail at the registry, too", passed, len(through))
			if passed < 10 {
				t.Errorf("only %d tests ran", passed)
			}
		})
	}
}

// conformanceData fills a repository, and says what is in it in the suite's words.
func conformanceData(t *testing.T, reg *harness.Registry) []string {
	t.Helper()
	index := harness.NewIndex(t, harness.OCIFormat)
	image := harness.NewImage(t, harness.OCIFormat, "amd64")
	digest := reg.Push(t, "acme/rocket-skates", "1.2", index)
	single := reg.Push(t, "acme/rocket-skates", "single", image)
	size, err := image.Size()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	mediaType, err := image.MediaType()
	if err != nil {
		t.Fatal(err)
	}
	signature, ok := mutate.Subject(harness.NewImage(t, harness.OCIFormat, "arm64"), v1.Descriptor{MediaType: mediaType, Digest: hash, Size: size}).(v1.Image)
	if !ok {
		t.Fatal("no image any more")
	}
	reg.Push(t, "acme/rocket-skates", "signature", signature)
	config, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	blobs := []string{config.String()}
	for _, layer := range layers {
		of, err := layer.Digest()
		if err != nil {
			t.Fatal(err)
		}
		blobs = append(blobs, of.String())
	}
	return []string{
		"OCI_RO_DATA_TAGS=1.2 single signature",
		"OCI_RO_DATA_MANIFESTS=" + digest + " " + single,
		"OCI_RO_DATA_BLOBS=" + strings.Join(blobs, " "),
		"OCI_RO_DATA_REFERRERS=" + single,
	}
}

// conform runs the suite's reading tests, and returns each test's status.
func conform(t *testing.T, suite, registry, repository string, data []string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), suite)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), data...),
		"OCI_RESULTS_DIR="+dir, "OCI_REGISTRY="+registry, "OCI_TLS=disabled", "OCI_REPO1="+repository,
		"OCI_VERSION=1.1", "OCI_API_PUSH=false", "OCI_API_BLOBS_DELETE=false", "OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false")
	out, _ := cmd.CombinedOutput() // it fails where a test fails; which one is told below
	statuses := make(map[string]string)
	line := regexp.MustCompile(`^\s*(\S.*): (Pass|FAIL|Skip|Disabled|Error|Unknown)\s*$`)
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		if m := line.FindStringSubmatch(s.Text()); m != nil {
			statuses[strings.ReplaceAll(m[1], repository, "REPOSITORY")] = m[2]
		}
	}
	if len(statuses) == 0 {
		t.Fatalf("the suite said:\n%s", out)
	}
	return statuses
}
