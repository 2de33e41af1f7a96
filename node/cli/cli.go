// Package cli is the command line. It parses words, talks to a node through its
// socket or its admin listener, and prints; what a command means is decided by
// the node.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"tallygate/node/admin"
	"tallygate/node/config"
	"tallygate/node/version"
)

// Exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // refused or failed; the message says why
	exitUsage   = 2
)

type grammar struct {
	Run     runCommand     `cmd:"" help:"Start a node in the foreground."`
	Apply   applyCommand   `cmd:"" help:"Make the catalog what a file says."`
	Export  exportCommand  `cmd:"" help:"Print the catalog as a file that apply takes."`
	SQL     sqlCommand     `cmd:"" name:"sql" help:"Ask a read-only SQL question about the events."`
	Status  statusCommand  `cmd:"" help:"Show how a node is."`
	Explain explainCommand `cmd:"" help:"Show which rule would serve a URL, and why."`
	User    struct {
		SignInLink signInLinkCommand `cmd:"" name:"sign-in-link" help:"Print a link that signs a user in once."`
	} `cmd:"" help:"People who sign in."`
	Token struct {
		Create tokenCreateCommand `cmd:"" help:"Make an API token and print it, once."`
	} `cmd:"" help:"API tokens."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// environment is what commands see of the world, so that tests can replace it.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// usageError is a mistake in the words of the command.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// Main runs one command and returns the process's exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{stdin: stdin, stdout: stdout, stderr: stderr}
	var g grammar
	exited := -1
	var file config.File
	parser, err := kong.New(&g,
		kong.Name("tallygate"),
		kong.Description("The download gateway that open software is published through."),
		kong.DefaultEnvars("TALLYGATE"),
		kong.Configuration(file.Load),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ValueFormatter(valueHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(env),
	)
	if err != nil {
		fmt.Fprintln(stderr, "tallygate:", err)
		return exitUsage
	}
	args, unknown := takeUnknownFlags(parser.Model, args)
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help has printed and asked to end
	}
	if problems := errors.Join(append(append(unknown, file.Mistakes()...), err)...); problems != nil {
		// A node's wrong settings are told together with its wrong words.
		if strings.HasPrefix(commandOf(args), "run") && err == nil {
			_, invalid := g.Run.Validate()
			file.Locate(invalid)
			problems = errors.Join(problems, invalid)
		}
		report(stderr, problems)
		fmt.Fprintf(stderr, "`tallygate %s--help` lists what it takes\n", commandOf(args))
		return exitUsage
	}
	if err := parsed.Run(); err != nil {
		file.Locate(err)
		report(stderr, err)
		var wrong *usageError
		var field *config.FieldError
		if errors.As(err, &wrong) || errors.As(err, &field) {
			return exitUsage
		}
		return exitRefused
	}
	return exitDone
}

// valueHelp is a flag's line in the help: what it is, its default where that is
// a value that the line doesn't show already, and the variable that sets it.
func valueHelp(v *kong.Value) string {
	help := v.Help
	if v.HasDefault && v.Flag != nil && v.Flag.PlaceHolder != "" {
		help = strings.TrimRight(help, ".") + ". Default: " + v.Default + "."
	}
	if v.Flag != nil && len(v.Flag.Envs) > 0 {
		help += " ($" + strings.Join(v.Flag.Envs, ", $") + ")"
	}
	return strings.TrimSpace(help)
}

// report prints every error of a joined one on a line of its own.
func report(w io.Writer, err error) {
	for _, line := range flatten(err) {
		fmt.Fprintln(w, "tallygate:", line)
	}
}

func flatten(err error) []string {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range joined.Unwrap() {
			lines = append(lines, flatten(e)...)
		}
		return lines
	}
	var p *admin.Problem
	if errors.As(err, &p) && len(p.Errors) > 0 {
		lines := []string{p.Error()}
		for _, f := range p.Errors {
			lines = append(lines, "  "+f.String())
		}
		return lines
	}
	return strings.Split(err.Error(), "\n")
}

// takeUnknownFlags removes flags that the named command doesn't have, each with
// its value, and says what was meant: the parser itself would stop at the first.
func takeUnknownFlags(model *kong.Application, args []string) (known []string, problems []error) {
	node := model.Node
	flags := map[string]*kong.Flag{}
	var names []string
	learn := func(n *kong.Node) {
		for _, f := range n.Flags {
			flags[f.Name] = f
			names = append(names, f.Name)
			if f.Tag != nil && f.Tag.Negatable != "" {
				flags["no-"+f.Name] = f
			}
		}
	}
	learn(node)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(known, args[i:]...), problems
		}
		if !strings.HasPrefix(arg, "--") {
			for _, child := range node.Children {
				if child.Name == arg {
					node = child
					learn(node)
					break
				}
			}
			known = append(known, arg)
			continue
		}
		name, _, inline := strings.Cut(arg[2:], "=")
		flag, ok := flags[name]
		if !ok {
			problems = append(problems, fmt.Errorf("unknown flag --%s%s", name, config.Suggest(name, names)))
			if !inline && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") && len(node.Positional) == 0 && len(node.Children) == 0 {
				i++ // most likely its value
			}
			continue
		}
		known = append(known, arg)
		if !inline && !flag.IsBool() && i+1 < len(args) {
			i++
			known = append(known, args[i])
		}
	}
	return known, problems
}

// commandOf is the words of the command with a trailing space, for messages.
func commandOf(args []string) string {
	var words []string
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			break
		}
		words = append(words, a+" ")
	}
	if len(words) > 2 {
		words = words[:2]
	}
	return strings.Join(words, "")
}

type versionCommand struct{}

func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintln(env.stdout, version.Version)
	return err
}

// stdoutIsTerminal says whether a person reads the output as it appears.
func stdoutIsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
