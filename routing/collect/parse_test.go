package collect

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tallygate/routing/event"
	"tallygate/routing/variables"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// flat writes objects the way the tables below do.
func flat(objects []Object) string {
	var b strings.Builder
	for i, o := range objects {
		if i > 0 {
			b.WriteString(" | ")
		}
		for j, v := range o.Variables {
			if j > 0 {
				b.WriteString(" ")
			}
			fmt.Fprintf(&b, "%s=%s", v.Name, v.Value)
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		body string
		want string
		at   int64 // of the fault
		bad  string
	}{
		"one object":                     {body: `{"a":"x","b":1}`, want: "a=x b=1"},
		"no object":                      {body: " \r\n\t", want: ""},
		"an empty object":                {body: `{}`, want: ""},
		"concatenated objects":           {body: `{"a":1}{"a":2}{"a":3}`, want: "a=1 | a=2 | a=3"},
		"objects on lines":               {body: "{\"a\":1}\n{\"a\":2}\r\n\n", want: "a=1 | a=2"},
		"objects in an array":            {body: `[ {"a":1} , {"a":2} ]`, want: "a=1 | a=2"},
		"an empty array":                 {body: `[]`, want: ""},
		"arrays and objects together":    {body: `[{"a":1}]{"a":2}[{"a":3}]`, want: "a=1 | a=2 | a=3"},
		"a byte order mark":              {body: "\uFEFF{\"a\":1}", want: "a=1"},
		"nested objects are flattened":   {body: `{"a":{"b":{"c":1},"d":2},"e":3}`, want: "a.b.c=1 a.d=2 e=3"},
		"arrays are flattened by index":  {body: `{"a":[1,{"b":2},[3,4]]}`, want: "a.0=1 a.1.b=2 a.2.0=3 a.2.1=4"},
		"empty containers are kept":      {body: `{"a":{},"b":[]}`, want: "a={} b=[]"},
		"numbers keep their text":        {body: `{"a":1.10,"b":-0,"c":12345678901234567890,"d":1E+2,"e":0.0}`, want: "a=1.10 b=-0 c=12345678901234567890 d=1E+2 e=0.0"},
		"booleans and null":              {body: `{"a":true,"b":false,"c":null}`, want: "a=true b=false"},
		"escapes":                        {body: `{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, want: "a=\"\\/\b\f\n\r\té😀"},
		"lone surrogates are replaced":   {body: `{"a":"\ud83dx","b":"\ude00","c":"\ud83d\u0041"}`, want: "a=\uFFFDx b=\uFFFD c=\uFFFDA"},
		"invalid UTF-8 is replaced":      {body: "{\"a\":\"x\xff\"}", want: "a=x\uFFFD"},
		"an unknown $ name is a value":   {body: `{"$plan":"pro"}`, want: "$plan=pro"},
		"special names inside are plain": {body: `{"a":{"$version":"1"}}`, want: "a.$version=1"},

		"a broken object ends it":           {body: `{"a":1}{"a":`, want: "a=1", at: 12, bad: "expected a value"},
		"what follows a fault is not read":  {body: `{"a":1} x {"a":2}`, want: "a=1", at: 8, bad: "expected a JSON object, or an array of objects"},
		"a fault in an array":               {body: `[{"a":1},{"a":2},3]`, want: "a=1 | a=2", at: 17, bad: "expected an object in the array"},
		"an array that is not closed":       {body: `[{"a":1}`, want: "a=1", at: 8, bad: "expected a comma or the end of the array"},
		"a trailing comma in an array":      {body: `[{"a":1},]`, want: "a=1", at: 9, bad: "expected an object in the array"},
		"a trailing comma in an object":     {body: `{"a":1,}`, at: 7, bad: "expected a property's name in quotes"},
		"a scalar":                          {body: `"a"`, at: 0, bad: "expected a JSON object, or an array of objects"},
		"form fields":                       {body: `a=1&b=2`, at: 0, bad: "expected a JSON object, or an array of objects"},
		"a name without quotes":             {body: `{a:1}`, at: 1, bad: "expected a property's name in quotes"},
		"no colon":                          {body: `{"a" 1}`, at: 5, bad: "expected a colon after a property's name"},
		"no comma":                          {body: `{"a":1 "b":2}`, at: 7, bad: "expected a comma or the end of the object"},
		"a leading zero":                    {body: `{"a":01}`, at: 6, bad: "expected a comma or the end of the object"},
		"a lone minus":                      {body: `{"a":-}`, at: 6, bad: "expected a digit"},
		"a bare decimal point":              {body: `{"a":1.}`, at: 7, bad: "expected a digit after the decimal point"},
		"an empty exponent":                 {body: `{"a":1e}`, at: 7, bad: "expected a digit in the exponent"},
		"NaN":                               {body: `{"a":NaN}`, at: 5, bad: "expected a value"},
		"a misspelt word":                   {body: `{"a":trux}`, at: 8, bad: "expected true"},
		"an unknown escape":                 {body: `{"a":"\x"}`, at: 6, bad: "an unknown escape in a string"},
		"a short unicode escape":            {body: `{"a":"\u12"}`, at: 6, bad: "expected four hexadecimal digits in an escape"},
		"a string that is not closed":       {body: `{"a":"x`, at: 7, bad: "the body ends inside a string"},
		"a string that ends in a backslash": {body: `{"a":"\`, at: 7, bad: "the body ends inside a string"},
		"a control character":               {body: "{\"a\":\"\n\"}", at: 6, bad: "a control character in a string, where an escape is due"},
		"a nested object without a name":    {body: `{"":{"a":1}}`, at: 1, bad: "a nested object needs a name"},

		"deep nesting":      {body: strings.Repeat(`{"a":`, 17) + "1", at: 80, bad: "nested deeper than 16 levels"},
		"deep arrays":       {body: `{"a":` + strings.Repeat(`[`, 50), at: 20, bad: "nested deeper than 16 levels"},
		"a long name":       {body: `{"` + strings.Repeat("n", 129) + `":1}`, at: 1, bad: "a name of more than 128 bytes, nesting included"},
		"a long path":       {body: `{"` + strings.Repeat("n", 100) + `":{"` + strings.Repeat("n", 28) + `":1}}`, at: 105, bad: "a name of more than 128 bytes, nesting included"},
		"too many values":   {body: `{` + strings.Repeat(`"a":1,`, 128) + `"b":2}`, at: 769, bad: "more than 128 values in one object"},
		"too much in all":   {body: `{` + strings.Repeat(`"a":"`+strings.Repeat("x", 2000)+`",`, 9) + `"b":2}`, at: 1 + 8*2007, bad: "more than 16384 bytes of names and values in one object"},
		"too many objects":  {body: strings.Repeat(`{}`, 1001), want: strings.Repeat(" | ", 999), at: 2000, bad: "more than 1000 objects in one body"},
		"a type too long":   {body: `{"$type":"` + strings.Repeat("t", 65) + `"}`, at: 9, bad: "a value of more than 64 bytes for this property"},
		"an id too long":    {body: `{"$unique_id":"` + strings.Repeat("t", 257) + `"}`, at: 14, bad: "a value of more than 256 bytes for this property"},
		"a type in pieces":  {body: `{"$type":{}}`, at: 9, bad: "expected a value"},
		"a wrong address":   {body: `{"$remote_address":"152.241.796.177"}`, at: 19, bad: "$remote_address is not an IP address"},
		"headers as text":   {body: `{"$headers":"a"}`, at: 12, bad: "$headers is not an object"},
		"a time in words":   {body: `{"$time":"yesterday"}`, at: 9, bad: "$time is neither an ISO 8601 time nor Unix time"},
		"a time long ago":   {body: `{"$time":"2026-11-17T11:59:59Z"}`, at: 9, bad: "$time is more than 168h0m0s ago; older events can be imported"},
		"a time to come":    {body: `{"$time": 1795522201}`, at: 10, bad: "$time is more than 10m0s in the future"},
		"too many headers":  {body: `{"$headers":{` + strings.Repeat(`"A":"1",`, 65) + `"B":"2"}}`, at: 525, bad: "more than 64 headers"},
		"too many in lists": {body: `{"$headers":{"A":[` + strings.Repeat(`"1",`, 65) + `"2"]}}`, at: 13, bad: "more than 64 headers"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			objects, fault := Parse([]byte(tt.body), nil, DefaultLimits(), now)
			if got := flat(objects); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
			switch {
			case fault == nil && tt.bad != "":
				t.Errorf("no fault, want %q", tt.bad)
			case fault == nil:
			case fault.Reason != tt.bad || fault.At != tt.at:
				t.Errorf("fault %q at %d, want %q at %d", fault.Reason, fault.At, tt.bad, tt.at)
			case fault.Object != len(objects):
				t.Errorf("fault in object %d after %d good ones", fault.Object, len(objects))
			}
		})
	}
}

func TestParseSpecialProperties(t *testing.T) {
	objects, fault := Parse([]byte(`{"$version":1.10,"$type":"install","$remote_address":"[::ffff:203.0.113.9]:80",
		"$user_agent":"curl/8.5","$domain":"dl.acme.com","$referrer":"https://acme.com/","$time":"2026-11-24T11:00:00+01:00",
		"$unique_id":"u-1","$headers":{"dnt":"0","X-A":["1","2"],"x-b":3},"plan":"pro"}
		{"$version":null,"$remote_address":null,"$headers":null,"$time":null,"$headers":{}}`), nil, DefaultLimits(), now)
	if fault != nil {
		t.Fatal(fault)
	}
	o := objects[0]
	if o.Version != "1.10" || o.Type != "install" || o.RemoteAddress.String() != "203.0.113.9" || o.UserAgent != "curl/8.5" ||
		o.Domain != "dl.acme.com" || o.Referrer != "https://acme.com/" || o.UniqueID != "u-1" {
		t.Errorf("got %+v", o)
	}
	if want := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC); !o.Time.Equal(want) || o.Time.Location() != time.UTC {
		t.Errorf("time %v", o.Time)
	}
	if got := o.Headers["X-A"]; len(got) != 2 || o.Headers.Get("Dnt") != "0" || o.Headers.Get("X-B") != "3" {
		t.Errorf("headers %v", o.Headers)
	}
	if len(o.Variables) != 1 || o.Variables[0] != (event.Variable{Name: "plan", Value: "pro"}) {
		t.Errorf("variables %v: special properties are none", o.Variables)
	}
	if e := objects[1]; e.Version != "" || e.RemoteAddress.IsValid() || !e.Time.IsZero() {
		t.Errorf("nulls gave %+v", e)
	}
}

func TestABodyCutOffKeepsItsWholeObjects(t *testing.T) {
	cut := &Fault{Status: http.StatusRequestEntityTooLarge, Reason: "the body is larger than 20 bytes"}
	for body, want := range map[string]int{
		`{"a":1}{"a":2}{"a":`: 2, // inside a value
		`{"a":1}{"a":2}`:      2, // between objects
		`[{"a":1},{"a":"xy`:   1, // inside a string of an array
		``:                    0,
	} {
		objects, fault := Parse([]byte(body), cut, DefaultLimits(), now)
		if len(objects) != want || fault == nil || fault.Reason != cut.Reason || fault.Status != 413 || fault.At != int64(len(body)) {
			t.Errorf("%s: %d objects, fault %+v", body, len(objects), fault)
		}
	}
	// A fault before the cut is the one that stopped reading.
	if _, fault := Parse([]byte(`{"a":x} {"a":1}`), cut, DefaultLimits(), now); fault == nil || fault.Status != 400 || fault.At != 5 {
		t.Errorf("fault %+v", fault)
	}
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{
		"2026-11-24T12:00:00Z", "2026-11-24T13:00:00+01:00", "2026-11-24T12:00:00", "2026-11-24T12:00:00.000Z",
		"2026-11-24T13:00:00+0100", "2026-11-24 12:00:00", "2026-11-24 12:00:00Z", "2026-11-24 12:00:00 UTC", "2026-11-24T12:00",
		"1795521600", "1795521600.0", "1795521600000", " 1795521600 ",
	} {
		if got, ok := ParseTime(s); !ok || !got.Equal(want) {
			t.Errorf("ParseTime(%q) = %v, %v", s, got, ok)
		}
	}
	if got, ok := ParseTime("1795521600.25"); !ok || !got.Equal(want.Add(250*time.Millisecond)) {
		t.Errorf("a fraction gave %v, %v", got, ok)
	}
	for _, s := range []string{"", "now", "-1", "NaN", "Inf", "1e300", "99999999999999999999", "0000-01-01", "24/11/2026", strings.Repeat("1", 65)} {
		if got, ok := ParseTime(s); ok {
			t.Errorf("ParseTime(%q) = %v", s, got)
		}
	}
}

func TestAValueIsCutAtItsBound(t *testing.T) {
	objects, fault := Parse([]byte(`{"a":"`+strings.Repeat("é", variables.MaxValue)+`"}`), nil, DefaultLimits(), now)
	if fault != nil || len(objects[0].Variables[0].Value) != variables.MaxValue {
		t.Errorf("fault %v, %d bytes", fault, len(objects[0].Variables[0].Value))
	}
}

func BenchmarkParse(b *testing.B) {
	body := []byte(`{"event":"install","$version":"1.10.2","os":"linux","arch":"amd64","duration_ms":128,"ci":false,"tool":{"name":"rocket","channel":"stable"}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if objects, fault := Parse(body, nil, DefaultLimits(), now); fault != nil || len(objects) != 1 {
			b.Fatal(fault)
		}
	}
}
