package template

// Incoming is a compiled incoming template. It is immutable, and compact, since a
// node holds a million of them: the usual one keeps its parts in itself, where a
// match finds them without another miss of the cache.
type Incoming struct {
	text     string // the literals, canonical
	count    uint8  // of parts
	names    uint8  // how many variables
	frozen   uint8  // parts from here on repeat no variable bound before them
	ambig    bool   // the path or the query may be read in more than one way
	prefix   uint16 // bytes of the path before its first variable
	literals uint16 // literal bytes of path and query
	parts    [6]part
	vars     [3]span // variables by order of appearance, in src
	more     *moreIncoming
	src      string
}

// moreIncoming is what few templates have.
type moreIncoming struct {
	parts []part // if there are more than fit
	vars  []span
	enc   string // like Subject.enc, of text; "" if nothing is set
	query []param
}

// path are the parts of the path.
func (t *Incoming) path() []part {
	if int(t.count) > len(t.parts) {
		return t.more.parts
	}
	return t.parts[:t.count]
}

func (t *Incoming) enc() string {
	if t.more == nil {
		return ""
	}
	return t.more.enc
}

func (t *Incoming) query() []param {
	if t.more == nil {
		return nil
	}
	return t.more.query
}

// part is a literal or a variable.
type part struct {
	kind partKind
	v    uint8 // index of the variable
	span span  // of the literal, in text
}

type span struct{ off, n uint16 }

type partKind uint8

const (
	literal partKind = iota
	single           // {v}: within a segment
	multi            // {+v}: across segments
)

// ParseIncoming compiles an incoming template: a path that begins with "/", with
// or without a query. The error is an [*Error].
func ParseIncoming(s string) (*Incoming, error) {
	t := new(Incoming)
	if err := t.Parse(s); err != nil {
		return nil, err
	}
	return t, nil
}

// Parse compiles s into t, which must be new: for templates that are embedded in
// a larger value.
func (t *Incoming) Parse(s string) error {
	tokens, err := tokenize(s)
	if err != nil {
		return err
	}
	pieces, err := flatten(s, tokens)
	if err != nil {
		return err
	}
	if len(pieces) == 0 || pieces[0].query || pieces[0].lit == "" || pieces[0].lit[0] != '/' {
		return &Error{Template: s, Msg: `an incoming path begins with "/"`}
	}
	t.src = s
	c := compiler{
		t: t, src: s,
		text: make([]byte, 0, len(s)), enc: make([]byte, 0, len(s)), vars: make([]span, 0, 4), kinds: make([]partKind, 0, 4),
	}
	return c.compile(pieces)
}

// String is the template as it was written.
func (t *Incoming) String() string { return t.src }

// Names are the variables, by order of appearance, each once.
func (t *Incoming) Names() []string {
	names := make([]string, t.names)
	for i := range names {
		names[i] = t.Name(i)
	}
	return names
}

// Name is the i-th of Names.
func (t *Incoming) Name(i int) string {
	if int(t.names) > len(t.vars) {
		return cut(t.src, t.more.vars[i])
	}
	return cut(t.src, t.vars[i])
}

// Prefix is the number of bytes of the path before its first variable.
func (t *Incoming) Prefix() int { return int(t.prefix) }

// LiteralPrefix is the path before its first variable, in the form of
// [Subject.Path].
func (t *Incoming) LiteralPrefix() string { return t.text[:t.prefix] }

// Literals is the number of literal bytes of path and query.
func (t *Incoming) Literals() int { return int(t.literals) }

// Variables is the number of different variables.
func (t *Incoming) Variables() int { return int(t.names) }

func cut(s string, p span) string { return s[p.off : p.off+p.n] }
