package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tallygate/scripts/e2e/harness"
)

// browser starts a headless Chromium with an empty profile.
func browser(t *testing.T) context.Context {
	t.Helper()
	harness.Needs(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"),
		chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 1000),
	)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelAllocator)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	t.Cleanup(cancelBrowser)
	// The first action starts the browser, which ends with that action's context.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// steps runs actions in a browser and fails the test with the page's text.
func steps(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for i, a := range actions {
		short, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := chromedp.Do(short, a)
		cancel()
		if err != nil {
			text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("step %d: %v\npage:\n%s", i+1, err, text)
		}
	}
}

// evaluate runs an expression in the page.
func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func TestThePageShowsADownloadWithinASecondOfIt(t *testing.T) {
	ctx := browser(t)
	origin := startOrigin(t)
	n := harness.StartNode(t)
	n.Apply(filesCatalog(origin.URL))
	n.Get("GET", "get.acme.test", "/dl/1.2/linux.tgz", "User-Agent", "curl/8.5.0")
	n.Settled()

	link := strings.TrimSpace(n.Run("user", "sign-in-link"))
	steps(t, ctx,
		chromedp.Navigate(link),
		chromedp.Click("form button.button-main"),
		chromedp.WaitVisible(".cards .card-figure"),
	)
	if got := evaluate[string](t, ctx, "document.querySelector('.cards .card-figure').innerText"); got != "1" {
		t.Errorf("the overview shows %q downloads, want 1", got)
	}
	harness.WaitFor(t, "the live feed", func() error {
		if got := evaluate[string](t, ctx, "document.getElementById('live-state').innerText"); got != "Live" {
			return errors.New(got)
		}
		return nil
	})

	begun := time.Now()
	n.Get("GET", "get.acme.test", "/dl/1.3/darwin.tgz", "User-Agent", "curl/8.5.0")
	harness.WaitFor(t, "the download on the page", func() error {
		text := evaluate[string](t, ctx, "document.querySelector('table.events tbody').innerText")
		if !strings.Contains(text, "/dl/1.3/darwin.tgz") {
			return errors.New(text)
		}
		return nil
	})
	t.Logf("on the page %v after the request", time.Since(begun).Round(time.Millisecond))

	// The link is used up, and the session is good on a package's page too.
	steps(t, ctx, chromedp.Navigate("http://"+n.Admin+"/packages/acme/file/rocket"), chromedp.WaitVisible(".cards .card-figure"))
	if got := evaluate[string](t, ctx, "document.querySelector('.cards .card-figure').innerText"); got != "2" {
		t.Errorf("the package's page shows %q downloads, want 2", got)
	}
	steps(t, ctx, chromedp.Navigate(link), chromedp.WaitVisible("h1"))
	if text := evaluate[string](t, ctx, "document.body.innerText"); !strings.Contains(text, "sign in any more") && !strings.Contains(text, "Sign in") {
		t.Errorf("a used link shows:\n%s", text)
	}
}

func TestABrowserFetchesThePixelAndThePageIsKnown(t *testing.T) {
	ctx := browser(t)
	n := harness.StartNode(t)
	n.Apply(`
organizations: [{name: acme}]
pixels: [{owner: acme, name: docs, id: px-docs}]
`)
	_, port, _ := strings.Cut(n.Gateway, ":")
	pixel := "http://static.gateway.localhost:" + port + "/a.png?x-pxid="
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!DOCTYPE html><title>docs</title><img id="pixel" referrerpolicy="no-referrer-when-downgrade" src="%spx-docs"><img src="%sunknown">`, pixel, pixel)
	}))
	defer site.Close()
	steps(t, ctx, chromedp.Navigate(site.URL+"/guide/start"))
	harness.WaitFor(t, "the image", func() error {
		if width := evaluate[int](t, ctx, "document.getElementById('pixel').naturalWidth"); width != 1 {
			return fmt.Errorf("width %d", width)
		}
		return nil
	})
	n.Settled()
	rows := n.SQL("select type, pixel_id, pixel, owner, page, referer, client, counted from events")
	if len(rows) != 1 {
		t.Fatalf("%d rows, want 1: the unknown pixel has none: %v", len(rows), rows)
	}
	for column, want := range map[string]any{
		"type": "pixel-fetch", "pixel_id": "px-docs", "pixel": "docs", "owner": "acme",
		"page": site.URL + "/guide/start", "referer": site.URL + "/guide/start", "counted": true,
	} {
		if rows[0][column] != want {
			t.Errorf("%s is %v, want %v", column, rows[0][column], want)
		}
	}
	if _, metrics := n.GetAdmin("/metrics"); !strings.Contains(metrics, "unmatched") {
		t.Error("the unknown pixel is not among the metrics")
	}
}
