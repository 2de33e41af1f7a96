package catalog

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzDecodeCommand(f *testing.F) {
	for _, ops := range [][]Op{everything(), {org("acme")}, {remove(KindUser, "x")}} {
		b, err := EncodeCommand(command("seed", ops...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		cmd, err := DecodeCommand(b)
		if err != nil {
			if !errors.Is(err, ErrCommandDamaged) && !errors.Is(err, ErrCommandFormat) {
				t.Fatalf("an error that callers don't know: %v", err)
			}
			return
		}
		once, err := EncodeCommand(cmd)
		if err != nil {
			// A time, say, that RFC 3339 has no digits for: Apply refuses it.
			if r, _ := NewStore().Apply(cmd); r.Err() == nil {
				t.Fatalf("Apply takes what can't be encoded: %v", err)
			}
			return
		}
		again, err := DecodeCommand(once)
		if err != nil {
			t.Fatalf("the encoding can't be read back: %v", err)
		}
		twice, err := EncodeCommand(again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("the encoding isn't canonical: %v", err)
		}
		// Two replicas decide alike, whatever it is.
		a, b2 := NewStore(), NewStore()
		ra, _ := a.Apply(cmd)
		rb, _ := b2.Apply(again)
		if a.View().Digest() != b2.View().Digest() || len(ra.Errors) != len(rb.Errors) {
			t.Fatalf("replicas differ: %v and %v", ra.Errors, rb.Errors)
		}
	})
}

func FuzzRestore(f *testing.F) {
	s := NewStore()
	s.Apply(command("a", everything()...))
	var b bytes.Buffer
	if err := s.WriteSnapshot(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(snapshotMagic + "\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewStore()
		err := s.Restore(bytes.NewReader(b))
		if err == nil {
			var again bytes.Buffer
			if err := s.WriteSnapshot(&again); err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, ErrSnapshotDamaged) && !errors.Is(err, ErrSnapshotFormat) {
			t.Fatalf("an error that callers don't know: %v", err)
		}
		if s.View().Version() != 0 {
			t.Fatal("a damaged snapshot changed the state")
		}
	})
}

// FuzzRecords gets past the checksum, which FuzzRestore seldom does.
func FuzzRecords(f *testing.F) {
	f.Add(byte(recordHeader), []byte{0xa0})
	f.Add(byte(recordApplied), []byte{0xa0})
	p, err := encoding.Marshal(pkg("acme", "rocket", "get.acme.dev"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byte(recordObject+3), p)
	f.Fuzz(func(_ *testing.T, number byte, body []byte) {
		db := newDatabase()
		txn := db.Txn(true)
		defer txn.Abort()
		l := &loader{txn: txn, uses: map[string]int{}, owners: map[string]string{}}
		l.header = &snapshotHeader{Version: 10, Digest: make([]byte, 32)}
		_ = l.load(number, body) // must not panic
		_, _ = l.finish()
	})
}

func FuzzCanonicalDomain(f *testing.F) {
	for _, s := range []string{"get.acme.dev", "BÜCHER.example.", "127.0.0.1", "xn--bcher-kva.example", "a_b", "::1", "."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := CanonicalDomain(s)
		if err != nil {
			return
		}
		if again, err := CanonicalDomain(name); err != nil || again != name {
			t.Fatalf("%q becomes %q becomes %q, %v", s, name, again, err)
		}
	})
}

// FuzzRoute: no path or URL that a stranger writes makes a check panic or run
// away, and what is accepted sends nobody to another host.
func FuzzRoute(f *testing.F) {
	f.Add("/{v}", "https://acme.dev/{v}", byte(0))
	f.Add("^/(?<v>.*)$", "https://acme.dev/{v}", byte(1))
	f.Add("/*", "https://acme.dev/*", byte(2))
	f.Add("/{+v}", "https://acme.dev{/v}", byte(0))
	f.Fuzz(func(t *testing.T, in, out string, kind byte) {
		r := Route{ID: "r", IncomingPath: in, OutgoingURL: &out, Kind: [...]RouteKind{TemplateRoute, RegexpRoute, CatchAllRoute}[kind%3]}
		c := &checker{tx: &transaction{View: NewStore().View()}}
		r.check(c, 0)
		if len(c.tx.errors) > 0 {
			return
		}
		tmpl, err := parseTemplate(out)
		if err != nil {
			t.Fatal(err)
		}
		if head := tmpl.head(); len(head) < len("http://a") {
			t.Fatalf("%q was accepted", out)
		}
	})
}

func FuzzNormalizePythonProject(f *testing.F) {
	for _, s := range []string{"Rocket_Skates", "a.-_b", "-", "É"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := NormalizePythonProject(s)
		if isPythonProject(s) && (!isPythonProject(n) || NormalizePythonProject(n) != n) {
			t.Fatalf("%q becomes %q", s, n)
		}
	})
}
