package ui_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"tallygate/ui"
	"tallygate/ui/internal/browser"
	"tallygate/ui/internal/fake"
)

// tab is a page in Chromium.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// openTab starts a browser, or skips the test where there is none.
func openTab(t *testing.T) *tab {
	t.Helper()
	if !ui.Built() {
		t.Skip("assets not built: run make build")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 3*time.Minute)
	ctx, stop, err := browser.Start(ctx, t.TempDir())
	if errors.Is(err, browser.ErrMissing) {
		cancel()
		t.Skip(err)
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		cancel()
	})
	b := &tab{t, ctx}
	// Whatever the policy refuses is written down before any script of the page runs.
	_, err = chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.refused = [];
		document.addEventListener("securitypolicyviolation", (e) => refused.push(e.violatedDirective + " " + e.blockedURI));
	`})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// complaints collects what the page writes to the console as an error; the
// function that it returns gives them.
func (b *tab) complaints() func() []string {
	b.t.Helper()
	found := make(chan string, 100)
	say := func(s string) {
		select {
		case found <- s:
		default: // a hundred are enough
		}
	}
	err := chromedp.Listen(b.ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			text := ev.ExceptionDetails.Text
			if e := ev.ExceptionDetails.Exception; e != nil {
				text += ": " + e.Description
			}
			say(text)
		case *runtime.EventConsoleAPICalled:
			if ev.Type == "error" || ev.Type == "warning" {
				say(fmt.Sprintf("console: %v", ev.Args))
			}
		case *log.EventEntryAdded:
			if ev.Entry.Level == "error" {
				say("log: " + ev.Entry.Text + " " + ev.Entry.URL)
			}
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return func() []string {
		var all []string
		for len(found) > 0 {
			all = append(all, <-found)
		}
		return all
	}
}

// show opens a page in a window of a width and scheme, signed in with a token if
// there is one.
func (b *tab) show(s *site, path, token string, width int64, scheme string) {
	b.t.Helper()
	secret := "nobody"
	if token != "" {
		var err error
		if secret, _, err = s.opts.Access.RedeemToken(b.ctx, token, ""); err != nil {
			b.t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: "tallygate", Value: secret, URL: s.server.URL}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Do(b.ctx,
		chromedp.EmulateViewport(width, 900),
		chromedp.Navigate(s.server.URL+path),
		chromedp.WaitReady(chromedp.CSS("html.has-script")),
	); err != nil {
		b.t.Fatal(err)
	}
}

// ask runs a script in the page and returns its value, waiting for a promise.
func ask[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", clip(script), err)
	}
	return v
}

// until waits for a script to be true.
func (b *tab) until(script string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](script)); err != nil {
		b.t.Fatalf("it never came true at %s: %s: %v", ask[string](b, `location.href + " with " + document.activeElement.outerHTML`), script, err)
	}
}

// away is until for what comes true on another page: the script may be cut off
// when the page goes.
func (b *tab) away(script string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](script)); err == nil {
			return
		}
	}
	b.t.Fatalf("it never came true: %s", script)
}

func (b *tab) press(keys string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatal(err)
	}
}

// looked are the pages that people look at.
var looked = []struct {
	name, path, token string
	change            func(*ui.Options)
	do                string // script to run before
}{
	{"overview", "/", fake.OperatorToken, nil, ""},
	{"overview with filters", "/?country=DE&client!=pip&period=24h&show=views&tz=Mars", fake.MemberToken, nil, ""},
	{"overview with its table open", "/", fake.OperatorToken, nil, `document.querySelector(".as-table").open = true`},
	{"overview with menus open", "/", fake.OperatorToken, nil, `document.querySelectorAll("details[data-menu]").forEach((d) => d.open = true)`},
	{"help", "/", fake.OperatorToken, nil, `document.getElementById("help").showModal()`},
	{"overview of nothing", "/", fake.OperatorToken, silent, ""},
	{"overview of an empty catalog", "/", fake.OperatorToken, bare, ""},
	{"overview that fails", "/", fake.OperatorToken, failing(errDisk), ""},
	{"overview with problems", "/", fake.OperatorToken, many, ""},
	{"overview with hostile names", "/", fake.OperatorToken, hostile, ""},
	{"package", "/packages/acme/docker/server", fake.OperatorToken, nil, ""},
	{"package with routes", "/packages/acme/file/agent", fake.OperatorToken, nil, ""},
	{"packages", "/packages", fake.OperatorToken, nil, ""},
	{"many packages", "/packages?owner=acme", fake.OperatorToken, many, ""},
	{"no packages", "/packages?q=zzz", fake.OperatorToken, nil, ""},
	{"list", "/top/country", fake.OperatorToken, nil, ""},
	{"explain", "/explain?url=" + url.QueryEscape("acme.gateway.tallygate.example/agent/1/agent-linux.tar.gz"), fake.OperatorToken, nil, ""},
	{"pixels", "/pixels", fake.OperatorToken, nil, ""},
	{"no pixels", "/pixels", fake.OperatorToken, bare, ""},
	{"cluster", "/cluster", fake.OperatorToken, nil, ""},
	{"sign in", "/sign-in", "", nil, ""},
	{"sign in by link", "/sign-in/link?secret=x", "", nil, ""},
	{"used link", "/sign-in/link", "", nil, ""},
	{"not found", "/nothing", fake.OperatorToken, nil, ""},
}

// TestPagesAreAccessible runs axe-core over every page, light, dark and narrow. It
// also fails when a page is wider than its window, when the policy refuses
// something, or when the console has an error.
func TestPagesAreAccessible(t *testing.T) {
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Skip("axe-core is not installed: run npm ci in ui")
	}
	b := openTab(t)
	complaints := b.complaints()
	for _, l := range looked {
		s := open(t, l.change)
		for _, size := range []struct {
			name   string
			width  int64
			scheme string
		}{{"light", 1280, "light"}, {"dark", 1280, "dark"}, {"narrow", 390, "light"}} {
			t.Run(l.name+" "+size.name, func(t *testing.T) {
				b := &tab{t, b.ctx}
				b.show(s, l.path, l.token, size.width, size.scheme)
				if l.do != "" {
					ask[chromedp.Void](b, l.do)
				}
				ask[chromedp.Void](b, string(axe))
				// "region" knows nothing of <dialog> and of banners.
				for _, violation := range ask[[]string](b, `axe.run(document, { rules: { region: { enabled: false } } }).then((r) =>
					r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.map((n) => n.html.slice(0, 200) + " " + (n.any[0]?.message ?? "")).join(" | ")))`) {
					t.Error(violation)
				}
				if width := ask[int64](b, `document.scrollingElement.scrollWidth`); width > size.width {
					t.Errorf("the page is %d pixels wide, its window %d; as wide are %q", width, size.width, ask[[]string](b, `[...document.querySelectorAll("body *")].
						filter((e) => !e.closest(".scroll, pre, dialog:not([open])") && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 100))`))
				}
				for _, refused := range ask[[]string](b, `refused`) {
					t.Errorf("the policy refused %s", refused)
				}
				for _, c := range complaints() {
					// The answer of a page that isn't there is not a fault of the page.
					if l.name != "not found" || !strings.Contains(c, "404") {
						t.Error(c)
					}
				}
			})
		}
	}
}

func TestWhatMoves(t *testing.T) {
	b := openTab(t)
	complaints := b.complaints()
	live := &fake.Live{}
	whole := t // a page outlives the step that opened it
	s := open(whole, func(o *ui.Options) { o.Live = live })
	b.show(s, "/", fake.OperatorToken, 1280, "light")

	t.Run("the chart takes the picture's place", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.until(`document.querySelector("[data-chart].drawn canvas") !== null`)
		if label := ask[string](b, `document.querySelector("canvas").getAttribute("aria-label")`); !strings.HasPrefix(label, "Downloads per day") {
			t.Errorf("the canvas says %q", label)
		}
	})
	t.Run("events arrive, and wait while paused", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.until(`document.getElementById("live-state").textContent === "Live"`)
		send := func(id string) {
			e := fake.SampleEvent(0)
			e.ID = id
			live.Send(e)
		}
		send("first")
		b.until(`document.querySelector("tbody[data-live] tr").id === "event-first"`)
		if n := ask[int](b, `document.querySelectorAll("tbody[data-live] tr").length`); n != 25 {
			t.Errorf("the list has %d rows", n)
		}
		ask[chromedp.Void](b, `document.getElementById("live-pause").click()`)
		send("second")
		b.until(`document.getElementById("live-state").textContent === "Paused, 1 new"`)
		if id := ask[string](b, `document.querySelector("tbody[data-live] tr").id`); id != "event-first" {
			t.Errorf("%s came in spite of the pause", id)
		}
		ask[chromedp.Void](b, `document.getElementById("live-pause").click()`)
		b.until(`document.querySelector("tbody[data-live] tr").id === "event-second"`)
	})
	t.Run("panels refresh after events", func(t *testing.T) {
		b := &tab{t, b.ctx}
		ask[chromedp.Void](b, `document.getElementById("cards").dataset.old = "yes"`)
		b.until(`document.getElementById("cards").dataset.old === undefined`)
		b.until(`document.querySelector("[data-chart].drawn canvas") !== null`)
	})
	t.Run("keys", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.press("/")
		b.until(`document.activeElement.id === "search"`)
		ask[chromedp.Void](b, `document.activeElement.blur()`)
		b.press("?")
		b.until(`document.getElementById("help").open`)
		ask[chromedp.Void](b, `document.getElementById("single-keys").click(); document.getElementById("help").close(); document.activeElement.blur()`)
		b.press("?")
		if ask[bool](b, `document.getElementById("help").open`) {
			t.Error("a key works that was turned off")
		}
		ask[chromedp.Void](b, `document.getElementById("single-keys").click()`)
		ask[chromedp.Void](b, `document.querySelector(".segments a[aria-current]").focus()`)
		b.press(kb.ArrowLeft)
		b.until(`document.activeElement.title === "Last 7 days"`)
	})
	t.Run("the scheme changes at once and stays", func(t *testing.T) {
		b := &tab{t, b.ctx}
		ask[chromedp.Void](b, `document.querySelector("[data-theme-switch] button").click()`)
		b.until(`document.documentElement.dataset.theme === "dark"`)
		b.show(s, "/packages", fake.OperatorToken, 1280, "light")
		b.until(`document.documentElement.dataset.theme === "dark"`)
	})
	t.Run("the list of packages follows the search", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.press("/")
		b.until(`document.activeElement.id === "search"`)
		ask[chromedp.Void](b, `document.activeElement.value = ""`) // a real keyboard wouldn't type the slash
		b.press("worker")
		b.until(`document.querySelectorAll("#results tbody tr").length === 1 && location.search === "?q=worker"`)
	})
	t.Run("a dragged range becomes the period", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.show(s, "/?country=DE", fake.OperatorToken, 1280, "light")
		b.until(`document.querySelector(".u-over") !== null`)
		box := ask[[]float64](b, `(() => {
			const over = document.querySelector(".u-over").getBoundingClientRect();
			return [over.left, over.top, over.width];
		})()`)
		at := func(share float64) (x, y float64) { return box[0] + box[2]*share, box[1] + 50 }
		mouse := func(what input.DispatchMouseEventType, share float64) {
			x, y := at(share)
			if err := chromedp.Do(b.ctx, chromedp.MouseEvent(what, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1))); err != nil {
				t.Fatal(err)
			}
		}
		mouse(chromedp.MouseMoved, 0.5)
		mouse(chromedp.MousePressed, 0.5)
		mouse(chromedp.MouseMoved, 0.6)
		mouse(chromedp.MouseMoved, 0.7)
		mouse(chromedp.MouseReleased, 0.7)
		b.away(`location.search.includes("from=2026-11-1") && location.search.includes("country=DE")`)
		b.away(`document.querySelector(".custom > summary.chosen") !== null`)
	})
	t.Run("more rows come in place", func(t *testing.T) {
		b := &tab{t, b.ctx}
		b.show(s, "/", fake.OperatorToken, 1280, "light")
		ask[chromedp.Void](b, `document.querySelector("#top-country .more a").click()`)
		b.until(`document.querySelectorAll("#top-country li").length === 13`)
		if path := ask[string](b, `location.pathname`); path != "/" {
			t.Errorf("the page went to %s", path)
		}
	})
	t.Run("a slow panel comes later", func(t *testing.T) {
		b := &tab{t, b.ctx}
		// Only the page's own budget is too short: alone, panels have half a minute.
		s := open(whole, func(o *ui.Options) {
			o.Budget = 1
			hurry := o.Reports.(*fake.Reports)
			o.Reports = &fake.Reports{OnTotals: hurry.OnTotals, OnSeries: hurry.OnSeries, OnLatest: hurry.OnLatest, OnTop: hurry.OnTop}
		})
		b.show(s, "/?country=DE", fake.OperatorToken, 1280, "light")
		b.until(`document.querySelector("#top-client .bars") !== null`)
		b.until(`document.querySelector("#latest tbody tr") !== null`)
	})
	t.Run("an empty overview fills with the first event", func(t *testing.T) {
		b := &tab{t, b.ctx}
		live := &fake.Live{}
		reports := &fake.Reports{}
		s := open(whole, func(o *ui.Options) { o.Live, o.Reports = live, reports })
		b.show(s, "/", fake.OperatorToken, 1280, "light")
		b.until(`document.getElementById("live-state").textContent === "Live"`)
		*reports = *fake.SampleReports()
		live.Send(fake.SampleEvent(0))
		b.away(`document.querySelector("#cards") !== null`)
	})
	if refused := ask[[]string](b, `refused`); len(refused) > 0 {
		t.Errorf("the policy refused %v", refused)
	}
	for _, c := range complaints() {
		t.Error(c)
	}
}
