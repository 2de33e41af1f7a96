package cli

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"tallygate/node/admin"
)

type applyCommand struct {
	remote
	File   string `short:"f" required:"" env:"-" help:"Catalog file, or - for standard input." placeholder:"FILE"`
	Format string `env:"-" default:"catalog" enum:"catalog,manifest" help:"catalog (ours) or manifest (a gateway manifest)."`
	Owner  string `env:"-" help:"Owner of entries that name none. Default for manifests: default." placeholder:"OWNER"`
	Prune  bool   `env:"-" help:"Also delete what the file does not name, of the owners that it names."`
	DryRun bool   `env:"-" help:"Only print what would change."`
}

func (c *applyCommand) Run(ctx context.Context, env *environment) error {
	var data []byte
	var err error
	name := filepath.Base(c.File)
	if c.File == "-" {
		name = "stdin"
		data, err = io.ReadAll(env.stdin)
	} else {
		data, err = os.ReadFile(c.File)
	}
	if err != nil {
		return err
	}
	query := url.Values{
		"name": {name}, "format": {c.Format}, "owner": {c.Owner},
		"prune": {strconv.FormatBool(c.Prune)}, "dry_run": {strconv.FormatBool(c.DryRun)},
	}
	answer, err := c.call(ctx, "POST", "/v1/apply", query, data)
	if err != nil {
		var p *admin.Problem
		if errors.As(err, &p) && len(p.Errors) > 0 {
			return errors.Join(err, errors.New("nothing was applied"))
		}
		return err
	}
	defer answer.Close()
	_, err = io.Copy(env.stdout, answer)
	return err
}

type exportCommand struct{ remote }

func (c *exportCommand) Run(ctx context.Context, env *environment) error {
	answer, err := c.call(ctx, "GET", "/v1/export", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	_, err = io.Copy(env.stdout, answer)
	return err
}
