package catalog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"unique"

	"github.com/hashicorp/go-memdb"
)

// A snapshot is a stream:
//
//	magic, format          8 bytes, one byte
//	record*                number of the record's table (one byte), length (uvarint), CBOR
//	end                    one zero byte
//	checksum               SHA-256 of everything before it
//
// The first record is the header. The objects follow by kind, in the order of
// kinds, then the remembered command ids. What is derived from the objects (the
// indexes, the uses of domain names) is made anew when a snapshot is read.
const (
	snapshotMagic  = "tgcatlog"
	snapshotFormat = 1

	recordEnd     = 0
	recordHeader  = 1
	recordApplied = 2
	recordObject  = 16 // plus the kind's number

	// maxRecordBytes bounds what a damaged length makes the reader allocate. No
	// object is larger than the command that brought it.
	maxRecordBytes = MaxCommandBytes
)

// snapshotHeader says of which state a snapshot is.
type snapshotHeader struct {
	Version uint64   `json:"version"`
	Digest  []byte   `json:"digest"`
	Counts  []uint64 `json:"counts"` // objects by the kind's number
}

type snapshotApplied struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
}

// WriteSnapshot writes the view for [Store.Restore] to read. It streams: memory
// does not grow with the catalog. One state always gives the same bytes.
func (v *View) WriteSnapshot(w io.Writer) error {
	sw := &snapshotWriter{out: bufio.NewWriterSize(w, 256<<10), hash: sha256.New()}
	sw.write([]byte(snapshotMagic))
	sw.write([]byte{snapshotFormat})
	header := snapshotHeader{Version: v.version, Digest: v.digest[:]}
	for _, n := range v.counts {
		header.Counts = append(header.Counts, uint64(n))
	}
	sw.record(recordHeader, header)
	for number, kind := range kinds {
		for obj := range v.objects(kind) {
			if sw.err != nil {
				break
			}
			sw.record(recordObject+byte(number), obj)
		}
	}
	for a := range v.appliedCommands() {
		sw.record(recordApplied, snapshotApplied{ID: a.id, Version: a.version})
	}
	sw.write([]byte{recordEnd})
	if sw.err == nil {
		_, sw.err = sw.out.Write(sw.hash.Sum(nil))
	}
	if sw.err == nil {
		sw.err = sw.out.Flush()
	}
	if sw.err != nil {
		return fmt.Errorf("write catalog snapshot: %w", sw.err)
	}
	return nil
}

// snapshotWriter keeps the first error, so that callers check once.
type snapshotWriter struct {
	out  *bufio.Writer
	hash hash.Hash
	buf  bytes.Buffer
	err  error
}

func (sw *snapshotWriter) write(b []byte) {
	if sw.err != nil {
		return
	}
	sw.hash.Write(b)
	_, sw.err = sw.out.Write(b)
}

func (sw *snapshotWriter) record(number byte, value any) {
	if sw.err != nil {
		return
	}
	sw.buf.Reset()
	if sw.err = encoding.MarshalToBuffer(value, &sw.buf); sw.err != nil {
		return
	}
	head := binary.AppendUvarint([]byte{number}, uint64(sw.buf.Len()))
	sw.write(head)
	sw.write(sw.buf.Bytes())
}

// objects yields every object of a kind: packages by name, so that reading them
// back fills one of the indexes in order.
func (v *View) objects(kind Kind) func(yield func(object) bool) {
	index := byID
	if kind == KindPackage {
		index = byName
	}
	return func(yield func(object) bool) {
		it, err := v.txn.Get(string(kind), index)
		if err != nil {
			panic("catalog: " + err.Error())
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			if !yield(raw.(object)) {
				return
			}
		}
	}
}

func (v *View) appliedCommands() func(yield func(*applied) bool) {
	return func(yield func(*applied) bool) {
		it, err := v.txn.Get(appliedTable, byVersion)
		if err != nil {
			panic("catalog: " + err.Error())
		}
		for raw := it.Next(); raw != nil; raw = it.Next() {
			if !yield(raw.(*applied)) {
				return
			}
		}
	}
}

// readSnapshot builds a view from what WriteSnapshot wrote.
func readSnapshot(r io.Reader) (*View, error) {
	sr := &snapshotReader{in: bufio.NewReaderSize(r, 256<<10), hash: sha256.New()}
	var start [len(snapshotMagic) + 1]byte
	if err := sr.read(start[:]); err != nil {
		return nil, err
	}
	if string(start[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("%w: it doesn't begin like one", ErrSnapshotDamaged)
	}
	if format := start[len(snapshotMagic)]; format > snapshotFormat {
		return nil, fmt.Errorf("%w: format %d, this build reads up to %d", ErrSnapshotFormat, format, snapshotFormat)
	}

	db := newDatabase().Snapshot() // tracks no watchers; see View.apply
	txn := db.Txn(true)
	defer txn.Abort()
	l := &loader{txn: txn, uses: make(map[string]int), owners: make(map[string]string)}
	if err := sr.records(l.load); err != nil {
		return nil, err
	}
	v, err := l.finish()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshotDamaged, err)
	}
	txn.Commit()
	v.db, v.txn = db, db.Txn(false)
	return v, nil
}

type snapshotReader struct {
	in   *bufio.Reader
	hash hash.Hash
	buf  []byte
}

// read fills b and adds it to the checksum. A stream that ends early is damage;
// other errors of the source are the source's.
func (sr *snapshotReader) read(b []byte) error {
	if _, err := io.ReadFull(sr.in, b); err != nil {
		return sourceError(err)
	}
	sr.hash.Write(b)
	return nil
}

func sourceError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends early", ErrSnapshotDamaged)
	}
	return fmt.Errorf("read catalog snapshot: %w", err)
}

// records reads all records and the checksum behind them. The bytes given to
// load are overwritten by the next record.
func (sr *snapshotReader) records(load func(number byte, body []byte) error) error {
	for {
		var number [1]byte
		if err := sr.read(number[:]); err != nil {
			return err
		}
		if number[0] == recordEnd {
			break
		}
		size, err := sr.uvarint()
		if err != nil {
			return err
		}
		if size > maxRecordBytes {
			return fmt.Errorf("%w: a record of %d bytes", ErrSnapshotDamaged, size)
		}
		body, err := sr.take(int(size))
		if err != nil {
			return err
		}
		if err := load(number[0], body); err != nil {
			return fmt.Errorf("%w: %w", ErrSnapshotDamaged, err)
		}
	}
	want := sr.hash.Sum(nil)
	var got [sha256.Size]byte
	if _, err := io.ReadFull(sr.in, got[:]); err != nil {
		return sourceError(err)
	}
	if !bytes.Equal(want, got[:]) {
		return fmt.Errorf("%w: its checksum is wrong", ErrSnapshotDamaged)
	}
	return nil
}

// take reads n bytes. Memory grows with what is there, not with what a damaged
// length claims.
func (sr *snapshotReader) take(n int) ([]byte, error) {
	const step = 64 << 10
	sr.buf = sr.buf[:0]
	for len(sr.buf) < n {
		from := len(sr.buf)
		sr.buf = append(sr.buf, make([]byte, min(step, n-from))...)
		if err := sr.read(sr.buf[from:]); err != nil {
			return nil, err
		}
	}
	return sr.buf, nil
}

func (sr *snapshotReader) uvarint() (uint64, error) {
	var n uint64
	for shift := 0; shift < 64; shift += 7 {
		var b [1]byte
		if err := sr.read(b[:]); err != nil {
			return 0, err
		}
		n |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: a length that doesn't end", ErrSnapshotDamaged)
}

// loader puts the records of a snapshot into a fresh database.
type loader struct {
	txn    *memdb.Txn
	header *snapshotHeader
	counts [len(kinds)]int
	owners map[string]string // names, to share their memory
	uses   map[string]int
	last   int // kinds come in order
}

func (l *loader) load(number byte, body []byte) error {
	if (l.header == nil) != (number == recordHeader) {
		return errors.New("the header isn't the first record")
	}
	switch {
	case number == recordHeader:
		l.header = new(snapshotHeader)
		if err := decoding.Unmarshal(body, l.header); err != nil {
			return err
		}
		if len(l.header.Digest) != sha256.Size {
			return errors.New("a digest of the wrong length")
		}
		return nil
	case number == recordApplied:
		var a snapshotApplied
		if err := decoding.Unmarshal(body, &a); err != nil {
			return err
		}
		if a.ID == "" || a.Version == 0 || a.Version > l.header.Version {
			return errors.New("a remembered command that can't be")
		}
		return l.txn.Insert(appliedTable, &applied{id: a.ID, version: a.Version})
	case number >= recordObject && int(number-recordObject) < len(kinds):
		return l.object(int(number-recordObject), body)
	}
	return fmt.Errorf("an unknown record, number %d", number)
}

func (l *loader) object(number int, body []byte) error {
	if number < l.last {
		return errors.New("kinds out of order")
	}
	l.last = number
	obj := newObject(kinds[number])
	if err := decoding.Unmarshal(body, obj); err != nil {
		return err
	}
	if obj.id() == "" {
		return fmt.Errorf("a %s without an id", kinds[number])
	}
	l.share(obj)
	l.counts[number]++
	for _, key := range obj.attached() {
		l.uses[key]++
	}
	return l.txn.Insert(string(kinds[number]), obj)
}

func (l *loader) finish() (*View, error) {
	if l.header == nil {
		return nil, errors.New("no header")
	}
	for i, n := range l.counts {
		var want uint64
		if i < len(l.header.Counts) {
			want = l.header.Counts[i]
		}
		if uint64(n) != want {
			return nil, fmt.Errorf("%d objects of kind %s, not %d", n, kinds[i], want)
		}
	}
	for key, n := range l.uses {
		if err := l.txn.Insert(usesTable, &use{key: key, count: n}); err != nil {
			return nil, err
		}
	}
	return &View{version: l.header.Version, digest: [32]byte(l.header.Digest), counts: l.counts}, nil
}

// share lets equal strings of many objects be one in memory, as the checks of
// Apply do.
func (l *loader) share(obj object) {
	switch o := obj.(type) {
	case *User:
		l.owners[o.Name] = o.Name
	case *Organization:
		l.owners[o.Name] = o.Name
	case *Domain:
		o.Owner = l.owner(o.Owner)
	case *Pixel:
		o.Owner = l.owner(o.Owner)
	case *Collection:
		o.Owner = l.owner(o.Owner)
		o.Registry = unique.Make(o.Registry).Value()
	case *Package:
		o.Owner = l.owner(o.Owner)
		o.Type = PackageType(unique.Make(string(o.Type)).Value())
		for i := range o.Domains {
			o.Domains[i].Name = unique.Make(o.Domains[i].Name).Value()
		}
		for i := range o.Routes {
			r := &o.Routes[i]
			r.Kind = RouteKind(unique.Make(string(r.Kind)).Value())
			r.Domain = unique.Make(r.Domain).Value()
		}
		if o.Image != nil {
			o.Image.Registry = unique.Make(o.Image.Registry).Value()
		}
		if o.Index != nil {
			o.Index.RepositoryURL = unique.Make(o.Index.RepositoryURL).Value()
			if o.Index.Project == o.Name {
				o.Index.Project = o.Name
			}
			for i := range o.Index.Files {
				o.Index.Files[i].HashType = unique.Make(o.Index.Files[i].HashType).Value()
				o.Index.Files[i].Domain = unique.Make(o.Index.Files[i].Domain).Value()
			}
		}
	}
}

func (l *loader) owner(name string) string {
	if shared, ok := l.owners[name]; ok {
		return shared
	}
	return name
}

func newObject(k Kind) object {
	switch k {
	case KindUser:
		return new(User)
	case KindOrganization:
		return new(Organization)
	case KindDomain:
		return new(Domain)
	case KindPackage:
		return new(Package)
	case KindPixel:
		return new(Pixel)
	case KindCollection:
		return new(Collection)
	case KindToken:
		return new(Token)
	case KindSession:
		return new(Session)
	case KindSignInLink:
		return new(SignInLink)
	}
	panic("catalog: no type for kind " + string(k))
}
