// Package python serves package indexes by the simple repository API (PEP 503,
// PEP 691): the pages under /simple/ of a host.
//
// The gateway serves the index itself, with links to itself, because after a
// redirect of the index page relative links resolve at the origin and no file
// would ever pass here. A project's page is fetched from its origin's index,
// kept for a while, and shown with file links of the form /simple/PROJECT/FILE;
// a request for a file is redirected to the origin, and that is what counts as a
// download, with the version and the tags that the file name tells. No file's
// bytes flow through.
//
//	/simple/                       projects of the host
//	/simple/PROJECT/               files of a project, HTML or JSON
//	/simple/PROJECT/FILE           302 to the file at the origin
//	/simple/PROJECT/FILE.metadata  302 to its core metadata (PEP 658), where there is some
//	/simple/PROJECT/FILE.asc       302 to its signature, where there is one
//
// A page is served stale while its origin is down. What an origin's page says is
// a stranger's word: only http and https links to files with plain names are
// taken from it.
//
// # What is recorded
//
// A file fetch is a binary-download, countable for GET. Metadata, signatures and
// project pages are index-fetch and never countable. Answers of 400 and above
// and the list of projects, which is nobody's, are not recorded.
package python
