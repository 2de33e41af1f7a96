package catalog

// EncodeCommand gives the one canonical encoding of a command: CBOR, Core
// Deterministic (RFC 8949, section 4.2.1), with the names of the json tags.
func EncodeCommand(cmd *Command) ([]byte, error) { return nil, nil }

// DecodeCommand reads what EncodeCommand wrote. Errors: [ErrCommandFormat] for a
// command of a newer format than this build's, [ErrCommandDamaged] for anything
// else that isn't a command.
func DecodeCommand(b []byte) (*Command, error) { return nil, nil }
