package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"tallygate/node/admin"
)

// remote is how a command reaches a node: by the socket in its data directory,
// or by the admin listener's URL and a token.
type remote struct {
	DataDir string `name:"data-dir" default:"./data" help:"Data directory of the node on this machine; its admin.sock is used." placeholder:"DIR"`
	Addr    string `name:"addr" help:"URL of a node's admin listener, instead of the local socket." placeholder:"URL"`
	Token   string `name:"token" help:"API token for --addr." placeholder:"TOKEN"`
}

// call is send for those who want the body alone, which the caller closes.
func (c *remote) call(ctx context.Context, method, path string, query url.Values, body []byte) (io.ReadCloser, error) {
	resp, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// send sends one request and returns the answer, whose body the caller closes.
// What the node refuses comes back as an *admin.Problem.
func (c *remote) send(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	client, base, err := c.client()
	if err != nil {
		return nil, err
	}
	target := base + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	var p admin.Problem
	if json.Unmarshal(data, &p) != nil || p.Title == "" {
		return nil, fmt.Errorf("the node answered %s: %s", resp.Status, strings.TrimSpace(string(data)))
	}
	return nil, &p
}

// ask is call for answers in JSON.
func (c *remote) ask(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	answer, err := c.call(ctx, method, path, query, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	return json.NewDecoder(answer).Decode(out)
}

func (c *remote) client() (*http.Client, string, error) {
	if c.Addr != "" {
		u, err := url.Parse(c.Addr)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, "", usage("--addr %q is not a URL; write one like https://gate.example.org:8090", c.Addr)
		}
		if c.Token == "" {
			return nil, "", usage("--addr needs --token (or TALLYGATE_TOKEN)")
		}
		return &http.Client{CheckRedirect: noRedirects}, strings.TrimSuffix(c.Addr, "/"), nil
	}
	socket := filepath.Join(c.DataDir, "admin.sock")
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
		DisableKeepAlives: true,
	}
	return &http.Client{Transport: transport, CheckRedirect: noRedirects}, "http://node", nil
}

// noRedirects keeps the token from following a redirect to another host.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *remote) explain(err error) error {
	var op *net.OpError
	if c.Addr == "" && errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no node answers on %s: start one with `tallygate run`, or name its data directory by --data-dir or its address by --addr and --token", filepath.Join(c.DataDir, "admin.sock"))
	}
	return err
}
