package document

// Parse reads a catalog file. The document is never nil and holds whatever
// could be understood; problems are its Problems, in the order of the file.
// name is used in messages only.
func Parse(name string, data []byte) (*Document, []*Problem) {
	return &Document{Name: name}, nil
}
