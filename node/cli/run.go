package cli

import (
	"context"

	"github.com/alecthomas/kong"

	"tallygate/node"
	"tallygate/node/config"
)

type runCommand struct {
	File kong.ConfigFlag `name:"config" help:"YAML file of these settings, by flag name. The environment (TALLYGATE_…) and flags win over it." placeholder:"FILE" `
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
