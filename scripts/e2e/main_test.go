package e2e

import (
	"net/http/httptest"
	"os"
	"testing"

	"tallygate/scripts/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// startRegistry runs a docker-registry with a token server beside it: anybody may
// pull.
func startRegistry(t *testing.T) *harness.Registry {
	t.Helper()
	tokens := harness.NewTokenServer(t)
	server := httptest.NewServer(tokens)
	t.Cleanup(server.Close)
	return harness.StartRegistry(t, harness.RegistryOptions{Tokens: tokens, Realm: server.URL + "/token"})
}
