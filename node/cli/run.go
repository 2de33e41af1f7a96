package cli

import (
	"context"

	"github.com/alecthomas/kong"

	"tallygate/node"
	"tallygate/node/config"
)

type runCommand struct {
	Config kong.ConfigFlag `help:"YAML file of these settings, by flag name. The environment (TALLYGATE_…) and flags win over it." placeholder:"FILE" type:"existingfile"`
	config.Config
}

func (c *runCommand) Run(ctx context.Context, env *environment) error {
	settings, err := c.Validate()
	if err != nil {
		return err
	}
	n, err := node.New(settings, node.NewLogger(settings, env.stderr))
	if err != nil {
		return err
	}
	return n.Run(ctx)
}
