package catalog

// The bounds of what a command may carry. Apply decides by them, so they are the
// same in every build that speaks one [Format]. Lengths are in bytes.
const (
	// RememberedCommands is how many ids of applied commands are kept, to
	// recognise a command that arrives again.
	RememberedCommands = 4096
	// MaxOps is the greatest number of operations in one command. A larger
	// import is several commands.
	MaxOps = 10_000
	// MaxCommandBytes is the greatest size of an encoded command. It bounds how
	// long one command can hold up the others.
	MaxCommandBytes = 16 << 20

	MaxIDBytes          = 255
	MaxNameBytes        = 255
	MaxOwnerBytes       = 63 // a DNS label, RFC 1035 section 2.3.4
	MaxDescriptionBytes = 1 << 10
	MaxLongTextBytes    = 64 << 10
	MaxURLBytes         = 2 << 10 // also of incoming paths and outgoing templates
	MaxImageNameBytes   = 255
	MaxDomains          = 100 // of a package or a pixel
	MaxRoutes           = 2_000
	MaxFailovers        = 8
	MaxPythonFiles      = 10_000
	MaxTokenHashes      = 1_000
	MaxOverrides        = 200
	MaxVariables        = 64 // of one template

	// MaxRegexpBytes and MaxRegexpSize bound a regular-expression route: its
	// text, and its size with repetitions written out, in instructions.
	MaxRegexpBytes = 1 << 10
	MaxRegexpSize  = 5_000
)
