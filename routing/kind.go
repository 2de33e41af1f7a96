package routing

// kind is what a request turned out to ask for; the label of its metrics.
type kind uint8

const (
	kindNone     kind = iota // no rule
	kindHost                 // no such host
	kindFile                 // template and regular-expression routes
	kindCatchAll             // whole-domain redirects
	kindImage
	kindPython
	kindPixel
	kindEvent
	kindInstall
	kindBase // the base domain's own pages
	kinds
)

var kindNames = [kinds]string{
	"none", "unknown-host", "file", "catch-all", "image", "python", "pixel", "event", "npm-install", "base",
}

func (k kind) String() string { return kindNames[k] }
