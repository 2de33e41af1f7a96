package container

import "strings"

// challenge is one entry of WWW-Authenticate (RFC 9110 section 11.6.1).
type challenge struct {
	scheme string            // lower case
	params map[string]string // names in lower case
}

// Bounds of what a registry may ask for.
const (
	maxChallengeBytes = 8 << 10
	maxChallenges     = 8
	maxParams         = 16
)

// parseChallenges reads the header's lines. Broken ones are read up to the fault.
func parseChallenges(lines []string) []challenge {
	var list []challenge
	for _, line := range lines {
		if len(line) <= maxChallengeBytes {
			list = parseChallenge(list, line)
		}
	}
	return list
}

// parseChallenge appends the challenges of one line. Both challenges and their
// parameters are parted by commas: a word with "=" behind it is a parameter, any
// other begins a challenge.
func parseChallenge(list []challenge, s string) []challenge {
	for {
		s = strings.TrimLeft(s, " \t,")
		word, rest := cutToken(s)
		if word == "" {
			return list
		}
		s = strings.TrimLeft(rest, " \t")
		if !strings.HasPrefix(s, "=") || len(list) == 0 {
			if len(list) == maxChallenges {
				return list
			}
			list = append(list, challenge{scheme: strings.ToLower(word)})
			continue
		}
		value, rest, ok := cutValue(strings.TrimLeft(s[1:], " \t"))
		if !ok {
			// A token68, as of Negotiate, may end in "=". We use no such scheme.
			comma := strings.IndexByte(s, ',')
			if comma < 0 {
				return list
			}
			s = s[comma:]
			continue
		}
		s = rest
		current := &list[len(list)-1]
		if current.params == nil {
			current.params = make(map[string]string)
		}
		name := strings.ToLower(word)
		if _, twice := current.params[name]; !twice && len(current.params) < maxParams {
			current.params[name] = value
		}
	}
}

// cutValue takes a token or a quoted string off the front.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value, rest = cutToken(s)
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// cutToken takes a token (RFC 9110 section 5.6.2) off the front.
func cutToken(s string) (token, rest string) {
	i := 0
	for i < len(s) && isTokenByte(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// access is what a registry asks of those who read.
type access uint8

const (
	accessUnknown access = iota // neither open nor a challenge; the next answer may tell
	accessOpen                  // nothing
	accessToken                 // a Bearer token
	accessLogin                 // credentials, with no way to be anonymous
)

// demand is a registry's answer to a request without credentials.
type demand struct {
	access  access
	realm   string // of the token server
	service string

	// insufficient is the registry's word that the token was good, but not for
	// this: a fresh one would be no better (RFC 6750 section 3.1).
	insufficient bool

	// basic: credentials are taken by the registry itself (RFC 7617).
	basic bool
}

// demandOf picks the challenge that we can meet.
func demandOf(lines []string) demand {
	d := demand{access: accessLogin}
	for _, c := range parseChallenges(lines) {
		if c.scheme == "bearer" && c.params["realm"] != "" {
			return demand{
				access: accessToken, realm: c.params["realm"], service: c.params["service"],
				insufficient: c.params["error"] == "insufficient_scope",
			}
		}
		d.basic = d.basic || c.scheme == "basic"
	}
	return d
}
