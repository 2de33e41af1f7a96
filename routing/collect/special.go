package collect

import (
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tallygate/routing/variables"
)

// special reads the value of one of the properties that speak about the event
// itself. known is false, and nothing is read, for any other name.
func (p *parser) special(name string) (known bool, f *Fault) {
	switch name {
	case "$version":
		p.object.Version, f = p.property(variables.MaxValue)
	case "$type":
		p.object.Type, f = p.property(maxType)
	case "$user_agent":
		p.object.UserAgent, f = p.property(variables.MaxValue)
	case "$domain":
		p.object.Domain, f = p.property(variables.MaxValue)
	case "$referrer":
		p.object.Referrer, f = p.property(variables.MaxValue)
	case "$unique_id":
		p.object.UniqueID, f = p.property(maxUniqueID)
	case "$remote_address":
		f = p.remoteAddress()
	case "$headers":
		f = p.headers()
	case "$time":
		f = p.time()
	default:
		return false, nil
	}
	return true, f
}

// property reads a string, number or boolean of at most n bytes; null is empty.
func (p *parser) property(n int) (string, *Fault) {
	if p.peek() == 'n' {
		return "", p.literal("null")
	}
	start := p.pos
	s, f := p.scalar()
	if f == nil && len(s) > n {
		f = p.faultAt(start, fmt.Sprintf("a value of more than %d bytes for this property", n))
	}
	return s, f
}

func (p *parser) remoteAddress() *Fault {
	p.spaces()
	start := p.pos
	s, f := p.property(variables.MaxValue)
	if f != nil || s == "" {
		p.object.RemoteAddress = netip.Addr{}
		return f
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return p.faultAt(start, "$remote_address is not an IP address")
		}
		addr = ap.Addr()
	}
	p.object.RemoteAddress = addr.Unmap().WithZone("")
	return nil
}

// headers reads an object of header fields, each a string or an array of
// strings.
func (p *parser) headers() *Fault {
	if p.peek() == 'n' {
		return p.literal("null")
	}
	if p.peek() != '{' {
		return p.fault("$headers is not an object")
	}
	h, n := http.Header{}, 0
	p.object.Headers = h
	_, f := p.list('}', "expected a comma or the end of $headers", func() *Fault {
		name, start, f := p.name()
		if f != nil {
			return f
		}
		value := func() *Fault {
			s, f := p.property(variables.MaxValue)
			if n++; f == nil && n > p.limits.Headers {
				f = p.tooLarge(start, "more than %d headers", p.limits.Headers)
			}
			if f == nil {
				h.Add(name, s)
			}
			return f
		}
		if p.peek() != '[' {
			return value()
		}
		_, f = p.list(']', "expected a comma or the end of a header's values", value)
		return f
	})
	return f
}

// time reads $time, which must lie within the limits around now.
func (p *parser) time() *Fault {
	p.spaces()
	start := p.pos
	s, f := p.property(variables.MaxValue)
	if f != nil {
		return f
	}
	if s == "" {
		p.object.Time = time.Time{}
		return nil
	}
	t, ok := ParseTime(s)
	if !ok {
		return p.faultAt(start, "$time is neither an ISO 8601 time nor Unix time")
	}
	switch d := p.now.Sub(t); {
	case d > p.limits.Past:
		return p.faultAt(start, fmt.Sprintf("$time is more than %s ago; older events can be imported", p.limits.Past))
	case -d > p.limits.Future:
		return p.faultAt(start, fmt.Sprintf("$time is more than %s in the future", p.limits.Future))
	}
	p.object.Time = t
	return nil
}

// timeLayouts are the forms of ISO 8601 that languages' standard libraries
// write. Without a zone a time is taken as UTC.
var timeLayouts = [...]string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04:05.999999999 MST",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

// ParseTime reads an ISO 8601 time, or Unix time in seconds, with or without a
// fraction, or in milliseconds (taken as such from 100,000,000,000 on, which in
// seconds would be the year 5138). The result is UTC.
func ParseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), t.Year() > 0
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n < 0 || n > 100_000_000_000_000:
			return time.Time{}, false
		case n >= 100_000_000_000:
			return time.UnixMilli(n).UTC(), true
		}
		return time.Unix(n, 0).UTC(), true
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && v >= 0 && v < 1e14 {
		if v >= 1e11 {
			v /= 1000
		}
		sec := int64(v)
		return time.Unix(sec, int64((v-float64(sec))*1e9)).UTC().Truncate(time.Microsecond), true
	}
	return time.Time{}, false
}
