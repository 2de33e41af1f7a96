package container

import (
	"encoding/base64"
	"strings"
)

// pass is a Bearer token as we give it to clients: what another server gave for
// their credentials, and the registry that it is for. We keep none of it: whoever
// holds a pass holds no more than that server gave, and may change no more than
// where we would not send it.
//
// The registry travels along because a client may present the token of one image
// for another. It must never reach another registry of the same host.
type pass struct {
	kind     passKind
	registry string // scheme://host[:port]
	value    string
}

type passKind byte

const (
	anonymousPass passKind = 'a' // nothing: as without a token
	bearerPass    passKind = 'b' // a token of the registry's token server
	basicPass     passKind = 'c' // the client's own credentials, for a registry without a token server
	refreshPass   passKind = 'r' // a refresh token of the registry's token server
)

// passPrefix begins every pass, and names its format.
const passPrefix = "tg1."

// String is the pass as text by the grammar of Bearer tokens (RFC 6750 section
// 2.1), which is also one part of a form.
func (p pass) String() string {
	if p.kind == anonymousPass {
		return passPrefix + "a"
	}
	return passPrefix + string(p.kind) + "." + base64.RawURLEncoding.EncodeToString([]byte(p.registry)) + "." + p.value
}

// maxPass is the longest pass, in bytes, that is read. Token servers' answers are
// bounded by maxTokenAnswer.
const maxPass = maxTokenAnswer + 1024

// parsePass reads a pass.
func parsePass(s string) (pass, bool) {
	rest, ok := strings.CutPrefix(s, passPrefix)
	if !ok || len(s) > maxPass {
		return pass{}, false
	}
	if rest == string(anonymousPass) {
		return pass{kind: anonymousPass}, true
	}
	kind, rest, _ := strings.Cut(rest, ".")
	encoded, value, ok := strings.Cut(rest, ".")
	registry, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || !validToken(value) {
		return pass{}, false
	}
	if len(kind) != 1 {
		return pass{}, false
	}
	switch p := (pass{passKind(kind[0]), string(registry), value}); p.kind {
	case bearerPass, basicPass, refreshPass:
		return p, true
	}
	return pass{}, false
}

// authorization is the header for the registry.
func (p pass) authorization() string {
	if p.kind == basicPass {
		return "Basic " + p.value
	}
	return "Bearer " + p.value
}
