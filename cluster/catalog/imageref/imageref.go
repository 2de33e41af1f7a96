// Package imageref reads what people paste to name an image: a reference as docker
// pull takes it, or the whole command. What is short for something on Docker Hub is
// read as docker reads it. It knows nothing of packages.
package imageref

import (
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// Image is where an image is hosted.
type Image struct {
	Registry   string // host[:port], lower case; docker.io for Docker Hub
	Repository string // as one writes it: "rocket", not "library/rocket", on Docker Hub
	Tag        string // empty: none was given
	Digest     string // empty: none was given
}

// ErrInvalid is wrapped by the errors of [Parse].
var ErrInvalid = errors.New("not an image")

// maxText is the longest text, in bytes, that is read: a name of 255 bytes, a
// digest, and a command around them.
const maxText = 2048

// tools are programs that pull images by a subcommand.
var tools = map[string]bool{
	"docker": true, "podman": true, "nerdctl": true, "buildah": true, "crane": true, "ctr": true, "crictl": true, "finch": true,
}

// Parse reads a reference, or a command that pulls one. Flags of the command are
// passed over; the reference is its last word, as with all the tools that we know.
func Parse(text string) (Image, error) {
	if len(text) > maxText {
		return Image{}, fmt.Errorf("%w: too long", ErrInvalid)
	}
	words := strings.Fields(text)
	for len(words) > 0 && (words[0] == "$" || words[0] == "#" || words[0] == "sudo") {
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return Image{}, fmt.Errorf("%w: it is empty", ErrInvalid)
	case len(words) > 1 && !isPull(words):
		return Image{}, fmt.Errorf("%w: %.60q is neither a reference nor a command that pulls one", ErrInvalid, text)
	}
	last := strings.TrimPrefix(words[len(words)-1], "docker://")
	if scheme, _, found := strings.Cut(last, "://"); found {
		return Image{}, fmt.Errorf("%w: leave out %q", ErrInvalid, scheme+"://")
	}
	domain, _, _ := strings.Cut(last, "/")
	if lower := strings.ToLower(domain); len(lower) < len(last) && strings.ContainsAny(lower, ".:") {
		last = lower + last[len(lower):] // hosts have no case; repositories must be in lower case
	}
	named, err := reference.ParseNormalizedNamed(last)
	if err != nil {
		return Image{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	image := Image{Registry: reference.Domain(named), Repository: reference.Path(named)}
	if image.Registry == "docker.io" {
		image.Repository = strings.TrimPrefix(image.Repository, "library/")
	}
	if tagged, ok := named.(reference.Tagged); ok {
		image.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		image.Digest = digested.Digest().String()
	}
	return image, nil
}

// isPull says whether words are a command like "docker pull X" or "ctr images pull X".
func isPull(words []string) bool {
	if !tools[words[0]] {
		return false
	}
	for _, w := range words[1 : len(words)-1] {
		switch w {
		case "pull", "run", "create", "manifest", "digest":
			return true
		}
	}
	return false
}
