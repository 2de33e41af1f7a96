package python

type (
	metrics struct{}
	fetcher struct{}
	cache   struct{}
)
