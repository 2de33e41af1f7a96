package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"tallygate/analytics/report"
	"tallygate/ui"
	"tallygate/ui/internal/browser"
	"tallygate/ui/internal/fake"
)

// shot is one screenshot.
type shot struct {
	name   string
	path   string
	token  string // who looks; empty: nobody is signed in
	change func(*ui.Options)
	do     string // script to run before
}

var shots = []shot{
	{name: "overview", path: "/", token: fake.OperatorToken},
	{name: "overview-hover", path: "/", token: fake.OperatorToken, do: hover},
	{name: "overview-24h", path: "/?period=24h&show=unique_origins", token: fake.OperatorToken},
	{name: "overview-filtered", path: "/?country=DE&client=docker&client=podman&version!=latest&from=2026-09-01&to=2026-11-23", token: fake.OperatorToken},
	{name: "overview-custom", path: "/", token: fake.OperatorToken, do: `document.querySelector(".custom").open = true`},
	{name: "overview-problem", path: "/?tz=Mars", token: fake.OperatorToken, change: broken},
	{name: "overview-table", path: "/", token: fake.OperatorToken, do: `document.querySelector(".as-table").open = true`},
	{name: "overview-help", path: "/", token: fake.OperatorToken, do: `document.getElementById("help").showModal()`},
	{name: "empty", path: "/", token: fake.OperatorToken, change: empty},
	{name: "empty-catalog", path: "/", token: fake.OperatorToken, change: bare},
	{name: "package-docker", path: "/packages/acme/docker/server", token: fake.OperatorToken},
	{name: "package-file", path: "/packages/acme/file/agent", token: fake.MemberToken},
	{name: "packages", path: "/packages", token: fake.OperatorToken},
	{name: "packages-none", path: "/packages?q=rocket", token: fake.OperatorToken},
	{name: "top", path: "/top/country", token: fake.OperatorToken},
	{name: "explain", path: "/explain?url=" + url.QueryEscape("https://acme.gateway.tallygate.example/agent/1.18.0/agent-linux-amd64.tar.gz?channel=stable"), token: fake.OperatorToken},
	{name: "cluster", path: "/cluster", token: fake.OperatorToken},
	{name: "sign-in", path: "/sign-in"},
	{name: "sign-in-link", path: "/sign-in/link?secret=x"},
	{name: "not-found", path: "/nothing", token: fake.OperatorToken},
}

// hover points at the middle of the chart.
const hover = `(() => {
	const over = document.querySelector(".u-over"), box = over.getBoundingClientRect();
	const at = { bubbles: true, clientX: box.left + box.width * 0.62, clientY: box.top + 80 };
	over.dispatchEvent(new MouseEvent("mouseenter", at));
	over.dispatchEvent(new MouseEvent("mousemove", at));
})()`

func broken(o *ui.Options) {
	reports := o.Reports.(*fake.Reports)
	top := reports.OnTop
	reports.OnTop = func(ctx context.Context, q report.Query, by report.Dimension, limit int) ([]report.Row, error) {
		if by == report.ByCountry {
			return nil, fmt.Errorf("disk I/O error")
		}
		return top(ctx, q, by, limit)
	}
	o.Status = func() ui.Status {
		return ui.Status{Problems: []ui.Problem{{
			Title:  "Recording stopped: disk full.",
			Detail: "Downloads go on and aren’t counted. Free space in the data directory of gw-fra-1; recording resumes by itself.",
		}, {
			Title: "The country database is 74 days old.", Detail: "Run tallygate geo update.", Warning: true,
		}}}
	}
}

func empty(o *ui.Options) { o.Reports = &fake.Reports{} }

func bare(o *ui.Options) {
	o.Reports = &fake.Reports{}
	o.Catalog = func() ui.Catalog { return &fake.Catalog{} }
}

// size is a window, in CSS pixels.
type size struct {
	name   string
	width  int64
	scheme string
}

var sizes = []size{
	{"light", 1280, "light"},
	{"dark", 1280, "dark"},
	{"narrow", 390, "light"},
}

// shoot takes every screenshot in every size.
func shoot(ctx context.Context, folder, only string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	profile, err := os.MkdirTemp("", "preview-chromium-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile)
	tab, stop, err := browser.Start(ctx, profile)
	if err != nil {
		return err
	}
	defer stop()
	for _, s := range shots {
		for _, size := range sizes {
			name := s.name + "-" + size.name + ".png"
			if !strings.Contains(name, only) {
				continue
			}
			if err := s.take(tab, size, filepath.Join(folder, name)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			fmt.Println(name)
		}
	}
	return nil
}

func (s shot) take(tab context.Context, size size, file string) error {
	tab, cancel := context.WithTimeout(tab, 20*time.Second)
	defer cancel()
	opts := fake.Sample()
	if s.change != nil {
		s.change(&opts)
	}
	server := httptest.NewServer(ui.New(opts))
	defer server.Close()
	defer opts.Live.(*fake.Live).Close()

	value := "nobody"
	if s.token != "" {
		secret, _, err := opts.Access.RedeemToken(tab, s.token, "")
		if err != nil {
			return err
		}
		value = secret
	}
	if _, err := chromedp.Call(tab, network.SetCookie, network.SetCookieParams{Name: "tallygate", Value: value, URL: server.URL}); err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: size.scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	}); err != nil {
		return err
	}
	err := chromedp.Do(tab,
		chromedp.EmulateViewport(size.width, 900),
		chromedp.Navigate(server.URL+s.path),
		chromedp.WaitReady(chromedp.CSS("html.has-script")),
	)
	if err != nil {
		return err
	}
	if s.do != "" {
		if err := chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](s.do)); err != nil {
			return err
		}
	}
	// Two frames: one for layout, one for the canvas.
	const settled = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](settled, chromedp.EvalAwaitPromise)); err != nil {
		return err
	}
	picture, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
	if err != nil {
		return err
	}
	return os.WriteFile(file, picture, 0o644)
}
