package table

// putIn inserts into a slice that the caller owns.
func putIn[E any](s []E, i int, e E) []E {
	if len(s) == cap(s) {
		// The parts of a table are many and small: grow by one, not by half.
		s = append(make([]E, 0, len(s)+1+len(s)/8), s...)
	}
	s = s[:len(s)+1]
	copy(s[i+1:], s[i:])
	s[i] = e
	return s
}

// cutOut removes from a slice that the caller owns.
func cutOut[E any](s []E, i int) []E {
	var zero E
	copy(s[i:], s[i+1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}
