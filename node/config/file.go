package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// File is the configuration file of one command line: a YAML mapping of flag
// names to values. The environment wins over it, as everywhere. Its mistakes are
// kept rather than returned, so that they are told together with wrong values.
type File struct {
	name   string
	values map[string]any
	keys   []fileKey
	used   map[string]string // by flag, where the value in use was written
	errs   []error
}

type fileKey struct {
	name string
	line int
}

// Mistakes are the keys of the file that no flag of `run` has, and values that
// no flag can take, each with its place.
func (f *File) Mistakes() []error { return f.errs }

// Locate adds to each [FieldError] in err the place of its value, where that
// came from the file.
func (f *File) Locate(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			f.Locate(e)
		}
		return
	}
	var field *FieldError
	if errors.As(err, &field) {
		field.Place = f.used[field.Field]
	}
}

// Load reads the file. It is a [kong.ConfigurationLoader].
func (f *File) Load(r io.Reader) (kong.Resolver, error) {
	f.values, f.used = map[string]any{}, map[string]string{}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if named, ok := r.(interface{ Name() string }); ok {
		f.name = named.Name()
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	if doc.Kind == 0 {
		return f, nil // an empty file decides nothing
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: the file must be a mapping like `region: eu`", f.name, root.Line)
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		switch {
		case f.has(key.Value):
			f.errs = append(f.errs, fmt.Errorf("%s:%d: %s is set twice; keep one", f.name, key.Line, key.Value))
		case value.Kind == yaml.ScalarNode:
			f.values[key.Value] = value.Value
		case value.Kind == yaml.SequenceNode:
			var list []string
			if err := value.Decode(&list); err != nil {
				f.errs = append(f.errs, fmt.Errorf("%s:%d: %s must be a list of texts", f.name, value.Line, key.Value))
				continue
			}
			f.values[key.Value] = strings.Join(list, ",")
		default:
			f.errs = append(f.errs, fmt.Errorf("%s:%d: %s must be a text or a list, not a mapping", f.name, value.Line, key.Value))
		}
		f.keys = append(f.keys, fileKey{key.Value, key.Line})
	}
	return f, nil
}

func (f *File) has(key string) bool {
	for _, k := range f.keys {
		if k.name == key {
			return true
		}
	}
	return false
}

// Validate finds every key that is no flag of `run`, with the nearest one, for
// [File.Mistakes].
func (f *File) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var names []string
	for _, command := range app.Children {
		if command.Name != "run" {
			continue
		}
		for _, flag := range command.Flags {
			if flag.Name != "config" {
				known[flag.Name] = true
				names = append(names, flag.Name)
			}
		}
	}
	for _, key := range f.keys {
		if !known[key.name] {
			f.errs = append(f.errs, fmt.Errorf("%s:%d: unknown key %q%s", f.name, key.line, key.name, Suggest(key.name, names)))
		}
	}
	return nil
}

// Resolve gives the file's value unless the environment has one.
func (f *File) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	value, ok := f.values[flag.Name]
	if !ok {
		return nil, nil
	}
	for _, key := range f.keys {
		if key.name == flag.Name {
			f.used[flag.Name] = fmt.Sprintf("%s:%d", f.name, key.line)
		}
	}
	return value, nil
}

// Suggest names the candidate nearest to a mistyped word, as ` (did you mean
// "region"?)`, or is empty where none is near.
func Suggest(word string, candidates []string) string {
	best, nearest := "", len(word)/2+1
	for _, c := range candidates {
		if d := distance(word, c); d < nearest {
			best, nearest = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
