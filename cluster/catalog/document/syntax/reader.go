package syntax

// Reader reads one file and collects what is wrong with it.
type Reader struct {
	File     string // name in messages
	Problems []*Problem

	budget int // list elements that may still be read
}

func (r *Reader) add(p *Problem) {}
func (r *Reader) wholeIsYAML(data []byte) bool { return false }
func (r *Reader) readYAML(data []byte, visit func(Entry)) {}
