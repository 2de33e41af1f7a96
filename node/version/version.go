// Package version names the build.
package version

// Version is set by the linker; "dev" for a build without it.
var Version = "dev"
