package syntax

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// maxProblems is how many mistakes of one file are told apart; further ones are
// only counted.
const maxProblems = 1000

// Reader reads one file and collects what is wrong with it.
type Reader struct {
	File     string // name in messages
	Problems []*Problem

	more   int // problems beyond maxProblems
	budget int // list elements that may still be read
}

// At adds a problem with the value n.
func (r *Reader) At(n *Node, path, message, fix string) {
	r.Add(&Problem{Line: n.Line, Column: n.Column, Path: path, Message: message, Fix: fix})
}

// Add adds a problem with this file.
func (r *Reader) Add(p *Problem) {
	if len(r.Problems) >= maxProblems {
		r.more++
		return
	}
	p.File = r.File
	r.Problems = append(r.Problems, p)
}

// Finish sorts the problems by their place and returns them.
func (r *Reader) Finish() []*Problem {
	SortProblems(r.Problems)
	if r.more > 0 {
		r.Problems = append(r.Problems, &Problem{File: r.File, Message: fmt.Sprintf("and %d more", r.more)})
		r.more = 0
	}
	return r.Problems
}

// Text is a scalar's text; anything else is reported.
func (r *Reader) Text(n *Node, path string) string {
	if n.Kind != yaml.ScalarNode || IsNull(n) {
		r.At(n, path, "expected text, found "+kindOf(n), "")
		return ""
	}
	return n.Value
}

// spend counts list elements. Aliases let a small file name very many ("billion
// laughs"); without them a file can't hold more elements than bytes.
func (r *Reader) spend(n *Node, path string) bool {
	if r.budget <= 0 {
		if r.budget == 0 {
			r.budget--
			r.At(n, path, "aliases expand this file to too many elements", "write fewer aliases of lists")
		}
		return false
	}
	r.budget--
	return true
}
