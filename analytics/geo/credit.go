package geo

import (
	"net/url"
	"os"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Credit names a maker of network data, in the words of its licence.
type Credit struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// makers are known by a word in the database's type or description.
var makers = []struct {
	word   string
	credit Credit
}{
	{"tallygate-asn", Credit{"Networks by RouteViews, DB-IP and NRO (CC BY 4.0)", "https://github.com/sapics/ip-location-db"}},
	{"dbip", Credit{"IP Geolocation by DB-IP", "https://db-ip.com/"}},
	{"db-ip", Credit{"IP Geolocation by DB-IP", "https://db-ip.com/"}},
	{"geolite", Credit{"This product includes GeoLite Data created by MaxMind", "https://www.maxmind.com/"}},
	{"ipinfo", Credit{"IP address data powered by IPinfo", "https://ipinfo.io/"}},
}

// beside reads the credit from FILE.credit, the words in its first line and the
// link in its second: not every database says who made it.
func beside(path string) *Credit {
	data, err := os.ReadFile(path + ".credit")
	if err != nil || len(data) > 1<<10 {
		return nil
	}
	text, link, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || u.Scheme != "https" || text == "" {
		return nil
	}
	return &Credit{Text: strings.TrimSpace(text), URL: u.String()}
}

func creditOf(m maxminddb.Metadata) *Credit {
	text := m.DatabaseType
	for _, d := range m.Description {
		text += " " + d
	}
	text = strings.ToLower(text)
	for _, maker := range makers {
		if strings.Contains(text, maker.word) {
			return &maker.credit
		}
	}
	return nil
}
