package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"tallygate/cluster/catalog"
	"tallygate/node/admin"
)

type sqlCommand struct {
	remote
	Query  string `arg:"" optional:"" help:"One SELECT, or - to read it from standard input."`
	Format string `env:"-" default:"table" enum:"table,json,ndjson,csv,parquet" help:"table, json, ndjson, csv or parquet."`
}

func (c *sqlCommand) Run(ctx context.Context, env *environment) error {
	query := c.Query
	if query == "" || query == "-" {
		text, err := io.ReadAll(env.stdin)
		if err != nil {
			return err
		}
		query = string(text)
	}
	if strings.TrimSpace(query) == "" {
		return usage("give a query, as in: tallygate sql 'select count(*) from events'")
	}
	if c.Format == "parquet" && stdoutIsTerminal(env.stdout) {
		return usage("parquet is binary: send it to a file, as in: … --format parquet > events.parquet")
	}
	body, err := json.Marshal(map[string]string{"query": query, "format": c.Format})
	if err != nil {
		return err
	}
	answer, err := c.send(ctx, "POST", "/v1/sql", nil, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(env.stdout, answer.Body); err != nil {
		return fmt.Errorf("the answer was cut short: %w", err)
	}
	if rows := answer.Trailer.Get(admin.TruncatedTrailer); rows != "" {
		return fmt.Errorf("the result has more rows and was cut after %s: narrow it with WHERE, or take it in parts with LIMIT and OFFSET", rows)
	}
	return nil
}

// count is "1 package" or "2 packages".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

type statusCommand struct {
	remote
	Output string `env:"-" default:"table" enum:"table,json" help:"table or json."`
}

func (c *statusCommand) Run(ctx context.Context, env *environment) error {
	var s admin.Status
	if err := c.ask(ctx, "GET", "/v1/status", nil, nil, &s); err != nil {
		return err
	}
	if c.Output == "json" {
		return printJSON(env.stdout, s)
	}
	ready := "ready"
	if !s.Ready {
		ready = "not ready"
	}
	gateway := s.Gateway
	if s.GatewayTLS != "" {
		gateway += ", HTTPS " + s.GatewayTLS
	}
	rows := [][2]string{
		{"node", fmt.Sprintf("%s (%s), region %s, %s", s.Name, s.ID, s.Region, s.Version)},
		{"state", fmt.Sprintf("%s, up %s", ready, time.Since(s.Started).Round(time.Second))},
		{"listeners", fmt.Sprintf("gateway %s, admin %s", gateway, s.Admin)},
		{"raft", fmt.Sprintf("%s, term %d, applied %d of %d", s.Raft.State, s.Raft.Term, s.Raft.AppliedIndex, s.Raft.CommitIndex)},
		{"catalog", fmt.Sprintf("version %d, %s, %s, digest %.12s", s.Catalog.Version, count(s.Catalog.Organizations, "organization"), count(s.Catalog.Packages, "package"), s.Catalog.Digest)},
		{"recording", fmt.Sprintf("%d recorded, %d dropped since start; spool %d messages, %s; %d not stored yet",
			s.Recording.Recorder.Recorded, s.Recording.Recorder.Dropped, s.Recording.Spool.Messages, bytesText(int64(s.Recording.Spool.Bytes)), s.Recording.Spool.Pending)},
		{"analytics", "off on this node"},
	}
	if store := s.Recording.Store; store != nil {
		rows[len(rows)-1][1] = fmt.Sprintf("%d events, %s on disk", store.Events, bytesText(store.Bytes))
	}
	rows = append(rows, [2]string{"memory", fmt.Sprintf("%s resident, %d goroutines", bytesText(s.ResidentBytes), s.Goroutines)})
	for _, database := range s.Recording.Networks {
		rows = append(rows, [2]string{"networks", fmt.Sprintf("%s (%s), built %s", database.File, database.Type, database.Built.Format(time.DateOnly))})
		if warning := database.Warning(); warning != "" {
			rows = append(rows, [2]string{"warning", warning})
		}
	}
	for _, check := range s.Checks {
		if !check.OK {
			rows = append(rows, [2]string{"problem", check.Name + ": " + check.Message})
		}
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(env.stdout, "%-10s %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

type explainCommand struct {
	remote
	URL    string `arg:"" help:"The URL that a client asks for."`
	Method string `env:"-" default:"GET" help:"Its method."`
	Output string `env:"-" default:"table" enum:"table,json" help:"table or json."`
}

func (c *explainCommand) Run(ctx context.Context, env *environment) error {
	query := url.Values{"url": {c.URL}, "method": {c.Method}}
	if c.Output == "table" {
		query.Set("format", "text")
	}
	answer, err := c.call(ctx, "GET", "/v1/explain", query, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	_, err = io.Copy(env.stdout, answer)
	return err
}

type signInLinkCommand struct {
	remote
	User string `arg:"" optional:"" default:"operator" help:"Who it signs in."`
}

func (c *signInLinkCommand) Run(ctx context.Context, env *environment) error {
	var link admin.SignInLink
	if err := c.ask(ctx, "POST", "/v1/sign-in-links", nil, map[string]string{"user": c.User}, &link); err != nil {
		return err
	}
	fmt.Fprintf(env.stderr, "signs in %s once, until %s\n", link.User, link.ExpiresAt.Local().Format(time.DateTime))
	_, err := fmt.Fprintln(env.stdout, link.URL)
	return err
}

type tokenCreateCommand struct {
	remote
	Name    string          `arg:"" help:"What the token is for."`
	User    string          `env:"-" default:"operator" help:"Whose rights it has."`
	Scopes  []catalog.Scope `env:"-" help:"read, write, export, sql, cluster. Default: all." placeholder:"SCOPE,…"`
	Expires time.Duration   `env:"-" help:"Time until it expires, like 720h. Default: never." placeholder:"DURATION"`
}

func (c *tokenCreateCommand) Run(ctx context.Context, env *environment) error {
	in := admin.Token{Name: c.Name, User: c.User, Scopes: c.Scopes}
	if c.Expires > 0 {
		in.ExpiresAt = time.Now().Add(c.Expires).UTC()
	}
	var made admin.Token
	if err := c.ask(ctx, "POST", "/v1/tokens", nil, in, &made); err != nil {
		return err
	}
	fmt.Fprintln(env.stderr, "keep this token now: it can't be shown again")
	_, err := fmt.Fprintln(env.stdout, made.Secret)
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func bytesText(n int64) string {
	const units = "kMGT"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), -1
	for f >= 1000 && unit < len(units)-1 {
		f, unit = f/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", f, units[unit])
}
