package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// launcher is a Linux program that prints a line and ends, written in machine
// code: the image would else have to carry a base of several megabytes, or the
// demo a compiler.
func launcher(arch string) ([]byte, error) {
	const message = "3, 2, 1, lift-off! This pull was counted.\n"
	const base, headers = 0x400000, 64 + 56
	le := binary.LittleEndian
	var code []byte
	var machine uint16
	switch arch {
	case "amd64":
		machine = 62
		code = []byte{
			0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
			0xbf, 1, 0, 0, 0, // mov edi, 1 (stdout)
			0xbe, 0, 0, 0, 0, // mov esi, message
			0xba, byte(len(message)), 0, 0, 0, // mov edx, length
			0x0f, 0x05, // syscall
			0xb8, 60, 0, 0, 0, // mov eax, 60 (exit)
			0x31, 0xff, // xor edi, edi
			0x0f, 0x05, // syscall
		}
		le.PutUint32(code[11:], uint32(base+headers+len(code)))
	case "arm64":
		machine = 183
		for _, instruction := range []uint32{
			0xd2800020,                               // mov x0, #1 (stdout)
			0x10000000 | 7*4>>2<<5 | 1,               // adr x1, message (7 instructions on)
			0xd2800000 | uint32(len(message))<<5 | 2, // mov x2, length
			0xd2800808,                               // mov x8, #64 (write)
			0xd4000001,                               // svc #0
			0xd2800000,                               // mov x0, #0
			0xd2800ba8,                               // mov x8, #93 (exit)
			0xd4000001,                               // svc #0
		} {
			code = le.AppendUint32(code, instruction)
		}
	default:
		return nil, fmt.Errorf("no launcher for %s", arch)
	}
	size := uint64(headers + len(code) + len(message))
	var b bytes.Buffer
	for _, field := range []any{
		// The ELF header: 64 bits, little-endian, executable.
		[]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
		uint16(2), machine, uint32(1), uint64(base + headers), uint64(64), uint64(0), uint32(0),
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		// The program header: load everything, readable and executable.
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(0x10000),
	} {
		if err := binary.Write(&b, le, field); err != nil {
			return nil, err
		}
	}
	b.Write(code)
	b.WriteString(message)
	return b.Bytes(), nil
}
