package sql

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

// maxQuery bounds a statement's text, in bytes.
const maxQuery = 64 << 10

// Refused says why a statement is not allowed.
type Refused struct{ Reason string }

func (r *Refused) Error() string { return "refused: " + r.Reason }

func refuse(format string, args ...any) error {
	return &Refused{Reason: fmt.Sprintf(format, args...)}
}

// guard decides from a statement's syntax tree whether it may run. DuckDB knows
// no rights, and a read-only transaction doesn't keep a table function from
// switching on a log that then fails every statement of the process. So what a
// statement may contain is listed, and everything else is refused: kinds of
// nodes, views, functions, table functions.
type guard struct {
	views map[string]bool
	taken map[string]bool // names of the catalog, which WITH must not hide
}

// newGuard reads the names of the catalog.
func newGuard(ctx context.Context, conn *sql.Conn, views []View) (*guard, error) {
	g := &guard{views: map[string]bool{}, taken: map[string]bool{}}
	for _, v := range views {
		g.views[v.Name] = true
	}
	rows, err := conn.QueryContext(ctx, `SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views()`)
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		g.taken[strings.ToLower(name)] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return g, nil
}

// check lets DuckDB parse the text and walks the tree. The parser is the one that
// will run the statement, so that comments, quotes and the like can't mean one
// thing here and another there.
func (g *guard) check(ctx context.Context, conn *sql.Conn, query string) error {
	switch {
	case strings.TrimSpace(query) == "":
		return refuse("the statement is empty")
	case len(query) > maxQuery:
		return refuse("the statement is longer than %d bytes", maxQuery)
	case !utf8.ValidString(query) || strings.ContainsRune(query, 0):
		return refuse("the statement is not valid UTF-8 text")
	}
	var text string
	if err := conn.QueryRowContext(ctx, `SELECT json_serialize_sql(?::VARCHAR)::VARCHAR`, query).Scan(&text); err != nil {
		return fmt.Errorf("parse statement: %w", err)
	}
	return g.checkTree([]byte(text))
}

// checkTree walks what json_serialize_sql gives.
func (g *guard) checkTree(text []byte) error {
	var tree struct {
		Error      bool              `json:"error"`
		Type       string            `json:"error_type"`
		Message    string            `json:"error_message"`
		Statements []json.RawMessage `json:"statements"`
	}
	if err := json.Unmarshal(text, &tree); err != nil {
		return fmt.Errorf("parse statement: %w", err)
	}
	switch {
	case tree.Error && strings.Contains(tree.Message, "Only SELECT statements"):
		return refuse("only statements that read are allowed: SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE")
	case tree.Error:
		return refuse("%s", strings.TrimSpace(tree.Message))
	case len(tree.Statements) == 0:
		return refuse("the statement is empty")
	case len(tree.Statements) > 1:
		return refuse("one statement at a time, these are %d", len(tree.Statements))
	}
	d := json.NewDecoder(bytes.NewReader(tree.Statements[0]))
	d.UseNumber()
	var root any
	if err := d.Decode(&root); err != nil {
		return fmt.Errorf("parse statement: %w", err)
	}
	w := walker{guard: g, ctes: map[string]bool{}}
	if err := w.collect(root); err != nil {
		return err
	}
	return w.walk(root)
}

// walker holds the names that WITH has defined anywhere in the statement. None
// is a name of the catalog: so a reference to one is to a WITH, or fails, and it
// needs no knowledge of scopes.
type walker struct {
	*guard
	ctes map[string]bool
}

// plainName is what a WITH may be called. Names with a dot or a slash could be
// taken for files.
var plainName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

func (w *walker) collect(node any) error {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			if err := w.collect(child); err != nil {
				return err
			}
		}
	case map[string]any:
		if ctes, ok := n["cte_map"].(map[string]any); ok {
			list, _ := ctes["map"].([]any)
			for _, entry := range list {
				e, _ := entry.(map[string]any)
				name := strings.ToLower(str(e["key"]))
				if w.taken[name] || w.views[name] {
					return refuse("WITH %s: a table or view has this name", name)
				}
				if !plainName.MatchString(name) {
					return refuse("WITH %q: letters, digits and underscores only", name)
				}
				w.ctes[name] = true
			}
		}
		for _, child := range n {
			if err := w.collect(child); err != nil {
				return err
			}
		}
	}
	return nil
}

func str(v any) string { s, _ := v.(string); return s }

// The kinds of nodes. Those of expressions have a class, the others only a type.
var (
	classes = set(`CONSTANT STAR COLUMN_REF FUNCTION OPERATOR WINDOW LAMBDA LAMBDA_REF CAST COMPARISON
		CONJUNCTION CASE BETWEEN SUBQUERY COLLATE POSITIONAL_REFERENCE TYPE`)
	types = set(`SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
		BASE_TABLE EMPTY EXPRESSION_LIST JOIN SUBQUERY TABLE_FUNCTION PIVOT SHOW_REF
		LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER ORDER_MODIFIER DISTINCT_MODIFIER
		ORDER_DEFAULT ASCENDING DESCENDING`)
)

func (w *walker) walk(node any) error {
	switch n := node.(type) {
	case []any:
		for _, child := range n {
			if err := w.walk(child); err != nil {
				return err
			}
		}
	case map[string]any:
		skip, err := w.node(n)
		if err != nil {
			return err
		}
		keys := make([]string, 0, len(n))
		for key := range n {
			keys = append(keys, key)
		}
		sort.Strings(keys) // so that the same statement gets the same answer
		for _, key := range keys {
			if key == skip {
				// A table function: its name was checked as one.
				f, _ := n[key].(map[string]any)
				if err := w.walk(f["children"]); err != nil {
					return err
				}
				continue
			}
			if key == "value" && n["class"] == "CONSTANT" {
				continue // a literal
			}
			if err := w.walk(n[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// node checks one node; skip names a child that it has checked itself.
func (w *walker) node(n map[string]any) (skip string, err error) {
	class, hasClass := n["class"].(string)
	kind, hasKind := n["type"].(string)
	if hasClass {
		switch {
		case class == "PARAMETER":
			return "", refuse("parameters have no values here")
		case !classes[class]:
			return "", refuse("%s expressions are not allowed", strings.ToLower(class))
		}
	} else if hasKind && !types[kind] && !strings.HasSuffix(kind, "_TYPE_INFO") {
		return "", refuse("%s is not allowed", strings.ToLower(strings.ReplaceAll(kind, "_", " ")))
	}
	if _, ok := n["function_name"]; ok {
		return "", w.function(n, functions)
	}
	if hasClass {
		return "", nil
	}
	switch kind {
	case "BASE_TABLE":
		return "", w.table(n)
	case "TABLE_FUNCTION":
		f, ok := n["function"].(map[string]any)
		if !ok {
			return "", errors.New("parse statement: table function without a function")
		}
		if str(f["class"]) != "FUNCTION" {
			return "", refuse("this table function is not allowed")
		}
		return "function", w.function(f, tableFunctions)
	case "SHOW_REF":
		if n["query"] == nil {
			return "", refuse("SHOW is not allowed; DESCRIBE a view, such as DESCRIBE events")
		}
	}
	return "", nil
}

func (w *walker) function(n map[string]any, allowed map[string]bool) error {
	name := strings.ToLower(str(n["function_name"]))
	if schema := strings.ToLower(str(n["schema"])); schema != "" && schema != "main" {
		return refuse("function %s.%s is not allowed", schema, name)
	}
	if str(n["catalog"]) != "" || n["export_state"] == true || !allowed[name] {
		return refuse("function %s is not allowed", name)
	}
	return nil
}

func (w *walker) table(n map[string]any) error {
	name := strings.ToLower(str(n["table_name"]))
	schema, catalog := strings.ToLower(str(n["schema_name"])), str(n["catalog_name"])
	if n["at_clause"] != nil {
		return refuse("AT is not allowed")
	}
	if catalog == "" && (schema == "" && (w.views[name] || w.ctes[name]) || schema == "main" && w.views[name]) {
		return nil
	}
	full := name
	for _, prefix := range []string{schema, catalog} {
		if prefix != "" {
			full = prefix + "." + full
		}
	}
	names := make([]string, 0, len(w.views))
	for v := range w.views {
		names = append(names, v)
	}
	sort.Strings(names)
	return refuse("%q can't be read here, only: %s", full, strings.Join(names, ", "))
}
