// Package container serves image pulls: everything under /v2/ of a host, by the
// OCI distribution specification.
//
// How a pull is answered depends on what the image's registry answers, never on
// the client's User-Agent:
//
//   - A registry that asks for an anonymous token gets one from us. The client
//     sees no authentication at all: manifests are passed on, and a blob ends in
//     the registry's own redirect to its storage, handed over untouched.
//   - A registry known to need no authentication is left to the client: manifests
//     and blobs are plain redirects, unless the image is always proxied.
//   - A registry that wants credentials is answered for with a 401. Where the image
//     allows private pulls, the 401 names a token server of our own, [TokenPath],
//     which passes the client's credentials on to the registry's.
//
// Of images that do not allow private pulls no credentials travel to a registry.
// Manifests that anyone may have are kept, so that many pulls cost the registry
// one; what was got with credentials is kept for nobody. What was served goes out
// as a note; whether several notes are one pull is for those who count.
//
// # What is recorded
//
// An answer that hands over a manifest or a blob, or the way to it (2xx, 304, 3xx),
// is noted; a refusal (401, 404, 429 and so on) is not, since nothing was
// downloaded and clients provoke some of them on purpose. Only a GET of a manifest
// is countable.
package container
