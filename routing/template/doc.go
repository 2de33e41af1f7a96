// Package template reads URI templates (RFC 6570) in both directions: an
// incoming template is matched against a request, an outgoing one is expanded
// into the URL that the client is sent to.
//
// # The law
//
// RFC 6570 defines expansion only. Matching is defined here as its inverse: what
// match finds, expand turns into the same URL again, expand(match(u)) = u, and
// what expand made, match takes apart again, match(expand(t, v)) = v, as long as
// no value contains the literal that follows its variable.
//
// Where a URL can be read in several ways, a variable takes the leftmost and then
// the longest text: {v} within its path segment, {+v} across segments. It is never
// empty. A variable that occurs again must be equal each time. Operators are what
// their expansion says: {a,b} is two variables with a comma between them, {/a} a
// slash and a variable, {;a} is ";a=" and a variable; {?a} and {&a} are required
// query parameters, which match in any order.
//
// # Equal URLs
//
// Clients write one URL in different ways, so URLs are compared after
// percent-decoding each path segment, and each name and value of the query: "é" is
// "%C3%A9" is "%c3%a9", "%7E" is "~", "+" in a path is "%2B", and "+" in a query is
// a space. An encoded slash is not a slash: "a%2Fb" is one segment. Of the
// readings of a URL, one that expands to the same characters again, in which no
// encoded delimiter was taken for a delimiter, goes before one that only expands
// to an equal URL: "/{a},{b}" reads "/1,2%2C3" as 1 and "2,3".
//
// The value of {v} is percent-decoded. The value of {+v} keeps the encoding of
// reserved characters, since {+v} would otherwise expand "a%3Fb" into a query:
// percent-encoding survives exactly once. Bytes that are not UTF-8 are values like
// any other.
//
// # What an expansion can't do
//
// An outgoing URL is http or https, its authority is literal, and a variable can
// neither change it nor climb out of the path with "..".
package template
