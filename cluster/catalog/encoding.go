package catalog

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// The encoding of commands and snapshots: CBOR, Core Deterministic (RFC 8949,
// section 4.2.1), with the names of the json tags. One value has one encoding,
// which the digest relies on.
var (
	encoding = must(cbor.EncOptions{
		Sort:          cbor.SortBytewiseLexical,
		ShortestFloat: cbor.ShortestFloat16,
		NaNConvert:    cbor.NaNConvert7e00,
		InfConvert:    cbor.InfConvertFloat16,
		IndefLength:   cbor.IndefLengthForbidden,
		TagsMd:        cbor.TagsForbidden,
		Time:          cbor.TimeRFC3339NanoUTC, // exact, and readable in a dump
	}.UserBufferEncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, // an older build must not drop what it doesn't know
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		MaxNestedLevels:   16,
		MaxArrayElements:  1 << 20,
		MaxMapPairs:       1 << 12,
	}.DecMode())
	// decodingFormat reads no more of a command than its format.
	decodingFormat = must(cbor.DecOptions{
		IndefLength:      cbor.IndefLengthForbidden,
		MaxNestedLevels:  64,
		MaxArrayElements: 1 << 20,
		MaxMapPairs:      1 << 16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the options are constants: a mistake here fails every test
	}
	return v
}

// EncodeCommand gives the one canonical encoding of a command.
func EncodeCommand(cmd *Command) ([]byte, error) {
	b, err := encoding.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("encode command %s: %w", quoted(cmd.ID), err)
	}
	return b, nil
}

// DecodeCommand reads what EncodeCommand wrote. Errors: [ErrCommandFormat] for a
// command of a newer format than this build's, [ErrCommandDamaged] for anything
// else that isn't a command.
func DecodeCommand(b []byte) (*Command, error) {
	cmd := new(Command)
	err := decoding.Unmarshal(b, cmd)
	if err == nil && cmd.Format <= Format {
		return cmd, nil
	}
	if format, ok := commandFormat(b); ok && format > Format {
		return nil, fmt.Errorf("%w: format %d, this build reads up to %d", ErrCommandFormat, format, Format)
	}
	if err == nil {
		err = errors.New("no format")
	}
	return nil, fmt.Errorf("%w: %w", ErrCommandDamaged, err)
}

// commandFormat reads the format alone, also where the rest has fields that this
// build doesn't know.
func commandFormat(b []byte) (int, bool) {
	var head struct {
		Format int `json:"format"`
	}
	if err := decodingFormat.Unmarshal(b, &head); err != nil {
		return 0, false
	}
	return head.Format, true
}
