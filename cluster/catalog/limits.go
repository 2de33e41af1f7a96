package catalog

// The bounds of what a command may carry. They are the same in every build that
// speaks one [Format].
const (
	// RememberedCommands is how many ids of applied commands are kept to
	// recognise a command that arrives again.
	RememberedCommands = 4096
	// MaxOps is the greatest number of operations in one command. A larger
	// import is several commands.
	MaxOps = 10_000
	// MaxCommandBytes is the greatest size of an encoded command.
	MaxCommandBytes = 16 << 20
)
