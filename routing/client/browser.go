package client

import (
	"strings"

	"github.com/mileusna/useragent"
)

// browserPlatforms gives our names to mileusna's.
var browserPlatforms = map[string]string{
	useragent.Windows: "windows", useragent.WindowsPhone: "windows", useragent.Android: "android",
	useragent.MacOS: "macos", useragent.IOS: "ios", useragent.Linux: "linux", useragent.FreeBSD: "freebsd",
	useragent.ChromeOS: "chromeos", useragent.Harmony: "harmonyos",
}

// browser describes the sender of a string that starts as browsers' do:
// "Mozilla/5.0 (...". A string with an address of its own in it is a robot's,
// known or not.
func browser(s string) (client Client, ok bool) {
	if !strings.HasPrefix(s, "Mozilla/") && !strings.HasPrefix(s, "Opera/") {
		return Client{}, false
	}
	ua := useragent.Parse(s)
	client.Platform = browserPlatforms[ua.OS]
	switch {
	case ua.Bot:
		client.Class, client.Bot = Bot, true
		client.Name, client.Version = cleanName(ua.Name), versionOf(ua.Version)
		return client, true
	case cleanName(ua.Name) != "" && versionOf(ua.Version) != "":
		client.Class = Browser
		client.Name, client.Version = ua.Name, versionOf(ua.Version)
	case client.Platform != "":
		// One that we can't name, on a system that we know. Without a version
		// the parser's name is a guess at some word.
		client.Class = Browser
	default:
		return Client{}, false
	}
	// Browsers on a Mac say Intel on any processor, those on Windows x64 under
	// emulation too; Linux is told as it is.
	if client.Platform == "linux" || client.Platform == "windows" || client.Platform == "freebsd" || client.Platform == "chromeos" {
		var c Client
		c.Platform = client.Platform // so that only the architecture is looked for
		system, _, _ := strings.Cut(s, ")")
		scan(&c, system)
		client.Arch = c.Arch
	}
	return client, true
}
