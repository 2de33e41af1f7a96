package sql

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"
)

// appendJSON writes a value of a column of that type as JSON. Numbers stay
// numbers, however large; times are RFC 3339 in UTC, dates and times of day as
// they stand; UUIDs and binary are text; maps and structs are objects; NaN and
// infinities, which JSON doesn't know, are strings.
func appendJSON(b []byte, v any, kind string) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	case int8, int16, int32, int64, int, uint8, uint16, uint32, uint64, uint:
		return fmt.Append(b, v)
	case float32:
		return appendFloat(b, float64(v), 32)
	case float64:
		return appendFloat(b, v, 64)
	case *big.Int:
		return v.Append(b, 10)
	case duckdb.Decimal:
		return append(b, decimal(v)...)
	case []any:
		return appendList(b, v, element(kind))
	case duckdb.OrderedMap:
		return appendPairs(b, v.Keys(), v.Values())
	case duckdb.Map:
		return appendMap(b, v)
	case map[string]any:
		return appendObject(b, v)
	case duckdb.Union:
		return appendJSON(b, v.Value, "")
	default:
		return appendString(b, plain(v, kind))
	}
}

// plain writes what is a string in JSON as the text alone.
func plain(v any, kind string) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return timeText(v, kind)
	case duckdb.UUID:
		return v.String()
	case []byte:
		if kind == "UUID" && len(v) == 16 {
			u := duckdb.UUID(v)
			return u.String()
		}
		return hex.EncodeToString(v)
	case duckdb.Interval:
		return interval(v)
	case duckdb.Bit:
		return v.String()
	case fmt.Stringer:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// cell writes a value for a table or a CSV file: what is no text or number as
// JSON.
func cell(v any, kind string) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string, time.Time, duckdb.UUID, []byte, duckdb.Interval, duckdb.Bit:
		return plain(v, kind)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return string(appendJSON(nil, v, kind))
}

func timeText(t time.Time, kind string) string {
	switch {
	case kind == "DATE":
		return t.UTC().Format(time.DateOnly)
	case kind == "TIMETZ" || kind == "TIME WITH TIME ZONE":
		return t.Format("15:04:05.999999999Z07:00")
	case strings.HasPrefix(kind, "TIME") && !strings.HasPrefix(kind, "TIMESTAMP"):
		return t.UTC().Format("15:04:05.999999999")
	default:
		return t.UTC().Format(time.RFC3339Nano)
	}
}

func appendFloat(b []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendString(b, strconv.FormatFloat(f, 'g', -1, bits))
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}

// decimal writes the digits exactly.
func decimal(d duckdb.Decimal) string {
	digits := new(big.Int).Abs(d.Value).String()
	if scale := int(d.Scale); scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		digits = "-" + digits
	}
	return digits
}

// interval writes a duration of ISO 8601; months and days have no fixed length
// and stay what they are.
func interval(i duckdb.Interval) string {
	var b strings.Builder
	b.WriteByte('P')
	part := func(n int64, unit byte) {
		if n != 0 {
			b.WriteString(strconv.FormatInt(n, 10))
			b.WriteByte(unit)
		}
	}
	part(int64(i.Months), 'M')
	part(int64(i.Days), 'D')
	if i.Micros != 0 || b.Len() == 1 {
		seconds := strconv.FormatFloat(float64(i.Micros)/1e6, 'f', -1, 64)
		b.WriteString("T" + seconds + "S")
	}
	return b.String()
}

func appendList(b []byte, list []any, kind string) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, v, kind)
	}
	return append(b, ']')
}

// element is the type of a list's elements: "DATE" of "DATE[]".
func element(kind string) string {
	if at := strings.LastIndexByte(kind, '['); at >= 0 {
		return kind[:at]
	}
	return ""
}

func appendPairs(b []byte, keys, values []any) []byte {
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, cell(k, ""))
		b = append(b, ':')
		b = appendJSON(b, values[i], "")
	}
	return append(b, '}')
}

func appendMap(b []byte, m duckdb.Map) []byte {
	keys := make([]any, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b any) int { return strings.Compare(cell(a, ""), cell(b, "")) })
	values := make([]any, len(keys))
	for i, k := range keys {
		values[i] = m[k]
	}
	return appendPairs(b, keys, values)
}

func appendObject(b []byte, m map[string]any) []byte {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = append(b, ':')
		b = appendJSON(b, m[k], "")
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // strings don't fail
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
