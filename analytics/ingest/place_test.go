package ingest

import (
	"testing"

	"github.com/google/uuid"

	"tallygate/analytics/spool"
)

// segments makes segments of pairs of incarnation and first sequence.
func segments(pairs ...any) (list []spool.Segment) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, spool.Segment{Incarnation: pairs[i].(string), First: uint64(pairs[i+1].(int))})
	}
	return list
}

func TestReadingGoesOnAtTheFirstMessageNotStored(t *testing.T) {
	const a, b, c = "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7a", "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7b", "0189f7ea-ae2c-4809-8aeb-b819cf5e9e7c"
	type stored map[string]uint64
	tests := map[string]struct {
		segments []spool.Segment
		first    uint64
		stored   stored
		want     place
	}{
		"a new stream":                               {segments(a, 1), 0, nil, place{1, 0}},
		"nothing stored of an old stream":            {segments(a, 1, b, 10), 5, nil, place{5, 0}},
		"all stored":                                 {segments(a, 1), 1, stored{a: 9}, place{10, 0}},
		"all stored, and the server started again":   {segments(a, 1, b, 10), 1, stored{a: 9}, place{10, 0}},
		"in the middle of an older incarnation":      {segments(a, 1, b, 10), 1, stored{a: 4}, place{5, 0}},
		"in the middle of the last":                  {segments(a, 1, b, 10), 1, stored{a: 9, b: 12}, place{13, 0}},
		"read beyond the tail that was lost":         {segments(a, 1, b, 7), 1, stored{a: 9}, place{7, 0}},
		"read beyond it and on":                      {segments(a, 1, b, 7), 1, stored{a: 9, b: 8}, place{9, 0}},
		"the disk was lost":                          {segments(b, 1), 1, stored{a: 900}, place{1, 0}},
		"messages expired":                           {segments(a, 1), 8, stored{a: 4}, place{8, 3}},
		"messages expired with their incarnation":    {segments(b, 10), 12, stored{a: 4}, place{12, 7}},
		"only messages that were stored expired":     {segments(b, 10), 12, stored{a: 9, b: 11}, place{12, 0}},
		"messages of incarnations no longer named":   {segments(c, 10), 3, stored{a: 9}, place{3, 0}},
		"two restarts without a reader":              {segments(a, 1, b, 10, c, 20), 1, stored{a: 9}, place{10, 0}},
		"the tail was lost while nothing was stored": {segments(c, 4), 4, stored{}, place{4, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ids := map[[16]byte]uint64{}
			for incarnation, sequence := range test.stored {
				ids[uuid.MustParse(incarnation)] = sequence
			}
			if got := locate(test.segments, test.first, ids); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
