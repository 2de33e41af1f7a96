package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tallygate/scripts/e2e/harness"
)

// TestAnInstallOfAPackageWithScarfIsCounted runs npm with the real @scarf/scarf,
// whose install script reports to localhost when SCARF_LOCAL_PORT says so.
func TestAnInstallOfAPackageWithScarfIsCounted(t *testing.T) {
	harness.Needs(t, "npm", "node")
	n := harness.StartNode(t)
	n.Apply(`
organizations: [{name: acme}]
packages: [{owner: acme, name: rocket-skates, type: npm}]
`)
	dir := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		full := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("skates/package.json", `{"name":"rocket-skates","version":"2.0.1","dependencies":{"@scarf/scarf":"1.4.0"}}`)
	write("skates/index.js", "module.exports = 1\n")
	write("app/package.json", `{"name":"app","version":"1.0.0","private":true,
		"dependencies":{"rocket-skates":"file:../rocket-skates-2.0.1.tgz"},"allowScripts":{"@scarf/scarf":true}}`)
	_, port, _ := strings.Cut(n.Gateway, ":")
	npm := func(in string, args ...string) {
		t.Helper()
		cmd := exec.Command("npm", append(args, "--no-audit", "--no-fund", "--loglevel=error")...)
		cmd.Dir = filepath.Join(dir, in)
		// The script keeps a record of its reports in the temporary directory and
		// stays silent when it was there a moment ago. It asks no one under CI.
		cmd.Env = append(os.Environ(), "SCARF_LOCAL_PORT="+port, "TMPDIR="+dir, "SCARF_ANALYTICS=true")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm %v: %v\n%s", args, err, out)
		}
	}
	npm("skates", "pack", "--pack-destination", dir)
	npm("app", "install", "--foreground-scripts")

	n.Settled()
	rows := n.SQL(`select type, package, package_type, version, platform, counted, status from events`)
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1: %v", len(rows), rows)
	}
	for column, want := range map[string]any{
		"type": "package-install", "package": "rocket-skates", "package_type": "npm", "version": "2.0.1", "platform": "linux", "counted": true, "status": float64(200),
	} {
		if rows[0][column] != want {
			t.Errorf("%s is %v, want %v", column, rows[0][column], want)
		}
	}
}
