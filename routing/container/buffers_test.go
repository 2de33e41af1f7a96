package container

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

func TestBodiesAreReadAsLongAsTheySay(t *testing.T) {
	big := strings.Repeat("x", smallBody+10)
	for _, tt := range []struct {
		name          string
		body          string
		length, limit int64
		want          error
	}{
		{"of a known length", "some", 4, 10, nil},
		{"of an unknown length", "some", -1, 10, nil},
		{"empty", "", 0, 10, nil},
		{"as long as may be", "0123456789", -1, 10, nil},
		{"longer", "0123456789a", -1, 10, errTooLong},
		{"shorter than said", "some", 5, 10, errTooShort},
		{"big", big, int64(len(big)), 1 << 20, nil},
		{"big, of an unknown length", big, -1, 1 << 20, nil},
		{"too big", big, -1, smallBody + 9, errTooLong},
		{"as long as a small one may be", big[:smallBody], -1, smallBody, nil},
		{"one longer", big[:smallBody+1], -1, smallBody, errTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuffers()
			for range 2 { // with a buffer that was used before, too
				buf, release, err := b.read(t.Context(), strings.NewReader(tt.body), tt.length, tt.limit)
				if !errors.Is(err, tt.want) {
					t.Fatalf("error is %v, want %v", err, tt.want)
				}
				if err != nil {
					continue
				}
				if buf.String() != tt.body {
					t.Errorf("read %d bytes", buf.Len())
				}
				release()
			}
			if !b.big.TryAcquire(bigBudget) {
				t.Error("some of the budget was not given back")
			}
		})
	}
}

func TestBigBodiesWaitForTheirShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBuffers()
		body := strings.Repeat("x", maxManifest)
		var releases []func()
		for range bigBudget / maxManifest {
			_, release, err := b.read(t.Context(), strings.NewReader(body), -1, maxManifest)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		// A small one never waits, a big one as long as its client.
		if _, release, err := b.read(t.Context(), strings.NewReader("some"), 4, maxManifest); err != nil {
			t.Error(err)
		} else {
			release()
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, _, err := b.read(ctx, strings.NewReader(body), -1, maxManifest)
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("it did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		for _, release := range releases {
			release()
		}
	})
}
