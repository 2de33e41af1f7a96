package store

import "context"

var ctxBackground = context.Background()
