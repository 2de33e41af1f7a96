package enrich

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	saltBytes  = 32
	saltPrefix = "salt-"
	retryAfter = time.Minute
)

// Salts keeps the salt of the present month in a folder of its own, one file of
// mode 0600, and destroys what is left of other months.
type Salts struct {
	dir string
	log *slog.Logger
	now func() time.Time

	key atomic.Pointer[key]

	mu      sync.Mutex // guards changing the salt
	unsaved []byte     // the present salt, while it can't be written
	stale   bool       // files of other months are left
}

// OpenSalts reads or makes the present month's salt in dir.
func OpenSalts(dir string, log *slog.Logger) (*Salts, error) {
	return openSalts(dir, log, time.Now)
}

func openSalts(dir string, log *slog.Logger, now func() time.Time) (*Salts, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Salts{dir: dir, log: log.With("component", "salts"), now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open salts: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.turn(now()); err != nil {
		return nil, fmt.Errorf("open salts: %w", err)
	}
	return s, nil
}

func month(t time.Time) (name string, until time.Time) {
	t = t.UTC()
	first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return first.Format("2006-01"), first.AddDate(0, 1, 0)
}

// current returns the key of the month that t is in. At a month's end whoever
// comes first changes the salt, so that the old one is never used beyond.
func (s *Salts) current(t time.Time) *key {
	if k := s.key.Load(); t.Before(k.until) {
		return k
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.key.Load(); t.Before(k.until) {
		return k
	}
	if err := s.turn(t); err != nil {
		s.log.Error("salt changed in memory only, trying again", "err", err)
	}
	return s.key.Load()
}

// turn takes the salt of the month of t, made now if there is none, and destroys
// the others. When the disk fails, the new salt is in use all the same. The
// caller holds mu.
func (s *Salts) turn(t time.Time) error {
	name, until := month(t)
	path := filepath.Join(s.dir, saltPrefix+name)
	salt, err := readSalt(path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			s.log.Error("salt not readable, replaced by a new one: uniques of this month begin anew", "err", err)
		}
		salt = make([]byte, saltBytes)
		rand.Read(salt)
		s.unsaved = salt
	}
	s.key.Store(newKey(salt, until))
	s.stale = true
	return s.tidy(t)
}

// tidy writes a salt that isn't yet, and destroys those of other months. The
// caller holds mu.
func (s *Salts) tidy(t time.Time) error {
	name, _ := month(t)
	var errs []error
	if s.unsaved != nil {
		if err := writeSalt(filepath.Join(s.dir, saltPrefix+name), s.unsaved); err != nil {
			errs = append(errs, err)
		} else {
			s.unsaved = nil
		}
	}
	if s.stale {
		entries, err := os.ReadDir(s.dir)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		s.stale = false
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), saltPrefix) || e.Name() == saltPrefix+name {
				continue
			}
			if err := destroy(filepath.Join(s.dir, e.Name())); err != nil {
				s.stale = true
				errs = append(errs, err)
				continue
			}
			s.log.Info("salt destroyed", "period", strings.TrimPrefix(e.Name(), saltPrefix))
		}
	}
	return errors.Join(errs...)
}

// Serve changes the salt at the end of each month, also when no request comes,
// and tries again what the disk refused, until ctx ends.
func (s *Salts) Serve(ctx context.Context) error {
	for {
		now := s.now()
		s.current(now)
		s.mu.Lock()
		err := s.tidy(now)
		s.mu.Unlock()
		wait := time.Hour // also for a clock that is set
		if err != nil {
			s.log.Error("salt files not in order, trying again", "err", err)
			wait = retryAfter
		}
		wait = min(wait, s.key.Load().until.Sub(now))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func readSalt(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	salt, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(salt) != saltBytes {
		return nil, fmt.Errorf("%s is not a salt", path)
	}
	return salt, nil
}

// writeSalt puts the file in place whole or not at all.
func writeSalt(path string, salt []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), saltPrefix+"new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write salt: %w", err)
	}
	_, err = tmp.WriteString(hex.EncodeToString(salt) + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write salt: %w", err), destroy(tmp.Name()))
	}
	return syncDir(filepath.Dir(path))
}

// destroy overwrites a salt before it removes the file. A file system that
// writes elsewhere, or a copy made of the disk, may still have it: keep the data
// directory on an encrypted disk where that matters.
func destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("destroy salt: %w", err)
	}
	noise := make([]byte, 2*saltBytes+1)
	rand.Read(noise)
	_, err = f.Write(noise)
	err = errors.Join(err, f.Sync(), f.Close())
	// Removed in any case: a full disk still lets a file go.
	if err = errors.Join(err, os.Remove(path), syncDir(filepath.Dir(path))); err != nil {
		return fmt.Errorf("destroy salt: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
