package container

import (
	"context"
	"log/slog"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"tallygate/cluster/catalog"
)

// Packages makes packages of the images of collections.
type Packages interface {
	// Create makes the package of one image of a collection. A package that is
	// there already, whoever made it, is no error.
	Create(ctx context.Context, collection *catalog.Collection, repository string) error
}

// Bounds of the packages that first pulls ask for. A pull is answered whether or
// not its image gets a package: it is counted by the image's name until it has one.
const (
	maxFirstPulls = 256             // waiting; more are dropped, and asked for by a later pull
	firstPullGap  = 2 * time.Second // between two of one organization
	firstPullRush = 30              // at once, of one organization
	createTimeout = 10 * time.Second
	createdFor    = time.Minute // no second question about one image
)

// firstPull is an image that was pulled and has no package yet.
type firstPull struct {
	collection *catalog.Collection
	repository string
}

type firstPullKey struct{ collection, repository string }

// firstPulls hands images that were pulled for the first time to the catalog, one
// after the other. No pull waits for it.
type firstPulls struct {
	packages Packages
	logger   *slog.Logger
	metrics  *metrics
	queue    chan firstPull
	asked    *lru.Cache[firstPullKey, time.Time]
	limits   *lru.Cache[string, *rate.Limiter] // by organization
}

func newFirstPulls(packages Packages, logger *slog.Logger, m *metrics) *firstPulls {
	return &firstPulls{
		packages: packages, logger: logger, metrics: m,
		queue:  make(chan firstPull, maxFirstPulls),
		asked:  must(lru.New[firstPullKey, time.Time](maxRepositories)),
		limits: must(lru.New[string, *rate.Limiter](4096)),
	}
}

// offer asks for the package of an image that a registry has just answered for.
func (f *firstPulls) offer(collection *catalog.Collection, repository string) {
	if f.packages == nil {
		return
	}
	key := firstPullKey{collection.ID, repository}
	now := time.Now()
	if at, ok := f.asked.Get(key); ok && now.Sub(at) < createdFor {
		return
	}
	limit, ok := f.limits.Get(collection.Owner)
	if !ok {
		limit = rate.NewLimiter(rate.Every(firstPullGap), firstPullRush)
		if known, there, _ := f.limits.PeekOrAdd(collection.Owner, limit); there {
			limit = known
		}
	}
	if _, twice, _ := f.asked.PeekOrAdd(key, now); twice {
		if at, ok := f.asked.Peek(key); ok && now.Sub(at) < createdFor {
			return
		}
		f.asked.Add(key, now)
	}
	if !limit.AllowN(now, 1) {
		f.asked.Remove(key) // a later pull asks again
		f.metrics.firstPulls.WithLabelValues("limited").Inc()
		return
	}
	select {
	case f.queue <- firstPull{collection, repository}:
	default:
		f.asked.Remove(key)
		f.metrics.firstPulls.WithLabelValues("dropped").Inc()
	}
}

// Serve makes the packages that first pulls ask for, until ctx ends.
func (f *firstPulls) Serve(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case pulled := <-f.queue:
			f.create(ctx, pulled)
		}
	}
}

func (f *firstPulls) create(ctx context.Context, pulled firstPull) {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	outcome := "ok"
	if err := f.packages.Create(ctx, pulled.collection, pulled.repository); err != nil {
		outcome = "failed"
		f.logger.Warn("image of a collection gets no package", "collection", pulled.collection.ID, "repository", pulled.repository, "err", err)
	}
	f.metrics.firstPulls.WithLabelValues(outcome).Inc()
}

// String names the part in the supervisor's log.
func (f *firstPulls) String() string { return "first pulls" }

// Serve runs what the handler does beside answering: it has packages made of
// images of collections. It returns when ctx ends. Images are served without it,
// too.
func (h *Handler) Serve(ctx context.Context) error { return h.firstPulls.Serve(ctx) }

// String names the handler in the supervisor's log.
func (h *Handler) String() string { return "container" }
