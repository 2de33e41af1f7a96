package container

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/crane"

	"tallygate/cluster/catalog"
	"tallygate/routing/origin"
)

// vault is a registry with private repositories, and its token server.
type vault struct {
	*backend
	auth    *httptest.Server
	public  []string
	users   map[string]string // name → password; each may pull everything
	basic   bool              // no token server: the registry itself takes credentials
	offline string            // the refresh token, if any

	mu    sync.Mutex
	asked []*http.Request // the token server; forms are parsed
}

func newVault(t testing.TB, public ...string) *vault {
	t.Helper()
	v := &vault{public: public, users: map[string]string{"alice": "secret"}}
	v.backend = newBackend(t, func(_ *backend, next http.Handler) http.Handler { return v.guard(next) })
	v.auth = httptest.NewServer(http.HandlerFunc(v.token))
	t.Cleanup(v.auth.Close)
	return v
}

// image is an image of the vault that allows private pulls.
func (v *vault) image(name, repository string) catalog.Image {
	return catalog.Image{
		Name: name, Registry: v.host(), Repository: repository, PlainHTTP: true,
		PrivatePulls: catalog.PrivatePulls{AllowPrivatePulls: true, TokenHost: hostPort(v.auth)},
	}
}

func (v *vault) knows(r *http.Request) (ok, given bool) {
	user, password, given := r.BasicAuth()
	return given && v.users[user] == password && password != "", given
}

func (v *vault) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.basic {
			if ok, _ := v.knows(r); !ok {
				w.Header().Set("Www-Authenticate", `Basic realm="vault"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		raw, _ := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		var granted []string
		valid := json.Unmarshal(raw, &granted) == nil
		for _, scope := range granted {
			repository := strings.TrimSuffix(strings.TrimPrefix(scope, "repository:"), ":pull")
			if strings.HasPrefix(r.URL.Path, "/v2/"+repository+"/") {
				next.ServeHTTP(w, r)
				return
			}
		}
		if valid && r.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Www-Authenticate", `Bearer realm="`+v.auth.URL+`/auth",service="vault"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
}

func (v *vault) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	v.mu.Lock()
	v.asked = append(v.asked, r)
	v.mu.Unlock()
	ok, given := v.knows(r)
	if r.Method == http.MethodPost {
		given, ok = true, v.offline != "" && r.PostForm.Get("refresh_token") == v.offline
	}
	if given && !ok || r.Form.Get("service") != "vault" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	granted := []string{}
	for _, line := range r.Form["scope"] {
		for scope := range strings.FieldsSeq(line) {
			name := strings.TrimSuffix(strings.TrimPrefix(scope, "repository:"), ":pull")
			if ok || slices.Contains(v.public, name) {
				granted = append(granted, scope)
			}
		}
	}
	raw, _ := json.Marshal(granted)
	answer := map[string]any{"token": base64.RawURLEncoding.EncodeToString(raw), "expires_in": 120}
	if r.Form.Get("offline_token") == "true" && v.offline != "" {
		answer["refresh_token"] = v.offline
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// logins are the requests to the token server so far; it begins anew.
func (v *vault) logins() []*http.Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.asked
	v.asked = nil
	return list
}

// newSecureGateway is a gateway by https.
func newSecureGateway(t testing.TB, h images) *gateway {
	t.Helper()
	pool := origin.New(origin.Options{AllowPrivate: true})
	g := &gateway{Handler: New(Options{Origins: pool, PlainCredentials: true})}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.serve(w, r, h, g.note)
	}))
	g.Config.ErrorLog = log.New(io.Discard, "", 0)
	g.StartTLS()
	t.Cleanup(func() {
		g.Server.Close()
		pool.CloseIdle()
	})
	return g
}

// as is how crane pulls with a name and password, by https.
func (g *gateway) as(user, password string) []crane.Option {
	opts := []crane.Option{crane.WithTransport(g.Client().Transport)}
	if user != "" {
		opts = append(opts, crane.WithAuth(&authn.Basic{Username: user, Password: password}))
	}
	return opts
}

// ask asks by https, without following redirects.
func (g *gateway) ask(t testing.TB, method, path string, header ...string) *http.Response {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body, header = strings.NewReader(header[0]), append(header[1:], "Content-Type", "application/x-www-form-urlencoded")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	client := *g.Client()
	client.CheckRedirect = plainClient.CheckRedirect
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func basicHeader(user, password string) string {
	return "Basic " + credentials{user: user, password: password}.basic()
}

// login asks for a token and returns the answer's fields.
func (g *gateway) login(t testing.TB, query string, header ...string) (answer tokenAnswer, status int) {
	t.Helper()
	resp := g.ask(t, http.MethodGet, "/token?"+query, header...)
	body := text(t, resp)
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer, resp.StatusCode
}

func TestAPrivateImageIsPulledWithTheClientsCredentials(t *testing.T) {
	v := newVault(t)
	idx := index(t)
	v.pushOpen(t, "acme/secret-skates:1", idx)
	g := newSecureGateway(t, host(v.image("skates", "acme/secret-skates")))
	img, err := crane.Pull(g.host()+"/skates:1", append(g.as("alice", "secret"), crane.WithContext(t.Context()))...)
	if err != nil {
		t.Fatal(err)
	}
	if layers, err := img.Layers(); err != nil || len(layers) != 2 {
		t.Fatalf("layers: %v, %v", layers, err)
	}
	for _, r := range v.logins() {
		if r.Form.Get("scope") != "repository:acme/secret-skates:pull" || r.Header.Get("Authorization") != basicHeader("alice", "secret") {
			t.Errorf("the token server was asked %v", r.Form)
		}
	}
	for _, e := range g.taken() {
		if e.Version != "1" || e.OriginHost != v.host() {
			t.Errorf("event %+v", e)
		}
	}
	for _, r := range v.seen() {
		if strings.HasPrefix(r.Header.Get("Authorization"), "Basic") {
			t.Error("the registry saw the credentials")
		}
	}
}

func TestOthersGetNothingAfterAPrivatePull(t *testing.T) {
	v := newVault(t)
	img := image(t)
	v.pushOpen(t, "acme/secret:1", img)
	h := host(v.image("", "acme/secret"), catalog.Image{Name: "closed", Registry: v.host(), Repository: "acme/secret", PlainHTTP: true})
	g := newSecureGateway(t, h)
	if _, err := crane.Pull(g.host()+"/acme/secret:1", g.as("alice", "secret")...); err != nil {
		t.Fatal(err)
	}
	mallory := func(when string) {
		t.Helper()
		if _, err := crane.Pull(g.host()+"/acme/secret:1", g.as("", "")...); err == nil {
			t.Errorf("%s: pulled without credentials", when)
		}
		if _, err := crane.Pull(g.host()+"/acme/secret:1", g.as("mallory", "guess")...); err == nil {
			t.Errorf("%s: pulled with wrong credentials", when)
		}
		for _, path := range []string{"manifests/1", "manifests/" + digest(t, img), "tags/list", "blobs/" + someSHA256} {
			for _, header := range [][]string{
				nil,
				{"Authorization", basicHeader("mallory", "guess")},
				{"Authorization", "Bearer guess"},
				{"Authorization", "Bearer " + pass{kind: anonymousPass}.String()},
				{"Authorization", "Negotiate x"},
			} {
				for _, name := range []string{"acme/secret", "closed"} {
					resp := g.ask(t, http.MethodGet, "/v2/"+name+"/"+path, header...)
					body := text(t, resp)
					if name == "closed" && when == "down" && resp.StatusCode == http.StatusBadGateway {
						continue // as for any image whose registry is down
					}
					if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, codeUnauthorized) {
						t.Errorf("%s: %s/%s with %v: %s %s", when, name, path, header, resp.Status, body)
					}
				}
			}
		}
		if _, status := g.login(t, "scope=repository:acme/secret:pull", "Authorization", basicHeader("mallory", "guess")); status != http.StatusUnauthorized {
			t.Errorf("%s: wrong credentials: %d", when, status)
		}
	}
	mallory("up")
	v.Close()
	mallory("down")
	v.auth.Close()
	mallory("down")
}

func TestTheChallengeNamesOurselvesAndThePublicName(t *testing.T) {
	v := newVault(t)
	g := newSecureGateway(t, host(v.image("skates", "acme/secret-skates")))
	realm := `Bearer realm="https://` + g.host() + `/token",service="` + g.host() + `"`
	for path, want := range map[string]string{
		"/v2/":                   realm,
		"/v2/skates/manifests/1": realm + `,scope="repository:skates:pull"`,
		"/v2/skates/tags/list":   realm + `,scope="repository:skates:pull"`,
	} {
		resp := g.ask(t, http.MethodGet, path)
		if body := text(t, resp); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("Www-Authenticate") != want || strings.Contains(body, "secret") {
			t.Errorf("%s: %s %q %s", path, resp.Status, resp.Header.Get("Www-Authenticate"), body)
		}
	}
}

func TestAPublicImageNeedsNoCredentialsBesideAPrivateOne(t *testing.T) {
	v, other := newVault(t, "acme/open"), newVault(t, "acme/else")
	img := image(t)
	v.pushOpen(t, "acme/open:1", img)
	other.pushOpen(t, "acme/else:1", img)
	g := newSecureGateway(t, host(
		v.image("", "acme/open"), v.image("", "acme/secret"),
		catalog.Image{Name: "else", Registry: other.host(), Repository: "acme/else", PlainHTTP: true},
	))
	for _, who := range [][]crane.Option{g.as("", ""), g.as("alice", "secret")} {
		for _, name := range []string{"acme/open", "else"} {
			if got, err := crane.Digest(g.host()+"/"+name+":1", who...); err != nil || got != digest(t, img) {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
	}
	for _, r := range other.logins() {
		if r.Header.Get("Authorization") != "" {
			t.Error("another registry's token server saw credentials")
		}
	}
	for _, r := range other.seen() {
		if strings.Contains(r.Header.Get("Authorization"), passPrefix) {
			t.Error("another registry saw a token of ours")
		}
	}
}

func TestCredentialsAndTokensStayWithTheirRegistry(t *testing.T) {
	a, b := newVault(t), newVault(t)
	img := image(t)
	a.pushOpen(t, "acme/a:1", img)
	b.pushOpen(t, "acme/b:1", img)
	g := newSecureGateway(t, host(a.image("", "acme/a"), b.image("", "acme/b")))
	alice := []string{"Authorization", basicHeader("alice", "secret")}

	both, status := g.login(t, "scope=repository:acme/a:pull&scope=repository:acme/b:pull", alice...)
	if status != http.StatusOK || len(a.logins()) != 1 || len(b.logins()) != 0 {
		t.Fatalf("a scope that spans two registries: %d", status)
	}
	if resp := g.ask(t, http.MethodGet, "/v2/acme/a/manifests/1", "Authorization", "Bearer "+both.Token); resp.StatusCode != http.StatusOK {
		t.Errorf("the first registry's image: %s", resp.Status)
	}
	_ = b.seen()
	for _, p := range []string{both.Token, pass{basicPass, a.URL, "x"}.String()} {
		resp := g.ask(t, http.MethodGet, "/v2/acme/b/manifests/1", "Authorization", "Bearer "+p)
		if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(resp.Header.Get("Www-Authenticate"), `error="invalid_token"`) {
			t.Errorf("the other registry's image: %s %v", resp.Status, resp.Header)
		}
	}
	if len(b.seen()) != 0 {
		t.Error("a registry was asked with another one's token")
	}

	// Nobody could say which registry a login without a scope is meant for.
	none, status := g.login(t, "account=alice&offline_token=true", alice...)
	if status != http.StatusOK || none.Token != (pass{kind: anonymousPass}).String() || none.RefreshToken != "" ||
		len(a.logins()) != 0 || len(b.logins()) != 0 {
		t.Errorf("a login for several registries: %d %+v", status, none)
	}
	if resp := g.ask(t, http.MethodGet, "/v2/", "Authorization", "Bearer "+none.Token); resp.StatusCode != http.StatusOK {
		t.Errorf("after it: %s", resp.Status)
	}
}

func TestALoginWithoutAScopeIsCheckedByTheOneRegistry(t *testing.T) {
	v := newVault(t)
	v.offline = "for-long"
	v.pushOpen(t, "acme/secret:1", image(t))
	g := newSecureGateway(t, host(v.image("", "acme/secret"), catalog.Image{Registry: "ghcr.io", Repository: "acme/open"}))
	if _, status := g.login(t, "service=x", "Authorization", basicHeader("alice", "wrong")); status != http.StatusUnauthorized {
		t.Errorf("wrong credentials: %d", status)
	}
	answer, status := g.login(t, "service=x&client_id=docker&offline_token=true&account=alice", "Authorization", basicHeader("alice", "secret"))
	if status != http.StatusOK || answer.RefreshToken == "" || answer.ExpiresIn != 120 || answer.IssuedAt == "" || answer.AccessToken != answer.Token {
		t.Fatalf("%d %+v", status, answer)
	}
	// The refresh token is one of ours, for that registry alone.
	if strings.Contains(answer.RefreshToken, v.URL) || answer.RefreshToken == v.offline {
		t.Errorf("refresh token is %q", answer.RefreshToken)
	}
	form := url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {answer.RefreshToken}, "service": {"x"},
		"scope": {"repository:acme/secret:pull,push"}, "client_id": {"docker"},
	}
	resp := g.ask(t, http.MethodPost, "/token", form.Encode())
	var fresh tokenAnswer
	if err := json.NewDecoder(resp.Body).Decode(&fresh); err != nil || resp.StatusCode != http.StatusOK || fresh.TokenType != "Bearer" || fresh.Scope != "repository:acme/secret:pull" {
		t.Fatalf("%s %+v, %v", resp.Status, fresh, err)
	}
	asked := v.logins()
	if last := asked[len(asked)-1]; last.Method != http.MethodPost || last.PostForm.Get("refresh_token") != "for-long" || last.PostForm.Get("scope") != "repository:acme/secret:pull" {
		t.Errorf("the token server was asked %v", last.PostForm)
	}
	if resp := g.ask(t, http.MethodGet, "/v2/acme/secret/manifests/1", "Authorization", "Bearer "+fresh.AccessToken); resp.StatusCode != http.StatusOK {
		t.Errorf("with the fresh token: %s", resp.Status)
	}
	for _, refresh := range []string{"for-long", answer.Token, pass{refreshPass, "https://evil.example", "x"}.String()} {
		form.Set("refresh_token", refresh)
		if resp := g.ask(t, http.MethodPost, "/token", form.Encode()); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("refresh token %q: %s", refresh, resp.Status)
		}
	}
	form = url.Values{"grant_type": {"password"}, "username": {"alice"}, "password": {"secret"}, "service": {"x"}, "scope": {"repository:acme/secret:pull"}}
	if resp := g.ask(t, http.MethodPost, "/token", form.Encode()); resp.StatusCode != http.StatusOK {
		t.Errorf("a password by POST: %s", resp.Status)
	}
}

func TestCredentialsGoOnlyWhereTheOwnerAllows(t *testing.T) {
	v := newVault(t)
	v.pushOpen(t, "acme/secret:1", image(t))
	allowed := v.image("", "acme/secret")
	for _, tt := range []struct {
		name   string
		change func(*catalog.Image)
		query  string
		status int
	}{
		{"a token server that the owner did not name", func(i *catalog.Image) { i.TokenHost = "" }, "scope=repository:acme/secret:pull", 403},
		{"another token server than the owner named", func(i *catalog.Image) { i.TokenHost = "auth.example" }, "scope=repository:acme/secret:pull", 403},
		{"a login there", func(i *catalog.Image) { i.TokenHost = "auth.example" }, "", 403},
		{"an unknown image", func(*catalog.Image) {}, "scope=repository:acme/other:pull", 200},
		{"a push", func(*catalog.Image) {}, "scope=repository:acme/secret:push", 200},
		{"a catalog", func(*catalog.Image) {}, "scope=registry:catalog:*", 200},
		{"garbage", func(*catalog.Image) {}, "scope=repository:../..:pull", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := allowed
			tt.change(&img)
			g := newSecureGateway(t, host(img))
			answer, status := g.login(t, tt.query, "Authorization", basicHeader("alice", "secret"))
			if status != tt.status || status == http.StatusOK && answer.Token != (pass{kind: anonymousPass}).String() {
				t.Errorf("%d %+v", status, answer)
			}
			if n := len(v.logins()); n != 0 {
				t.Errorf("the token server saw credentials")
			}
		})
	}
	t.Run("an image that does not allow it", func(t *testing.T) {
		img := allowed
		img.PrivatePulls = catalog.PrivatePulls{}
		g := newSecureGateway(t, host(img))
		if _, status := g.login(t, "scope=repository:acme/secret:pull", "Authorization", basicHeader("alice", "secret")); status != http.StatusNotFound {
			t.Errorf("status is %d", status)
		}
	})
	t.Run("a registry by http without an operator's leave", func(t *testing.T) {
		g := newSecureGateway(t, host(allowed))
		g.plainCredentials = false
		if _, status := g.login(t, "scope=repository:acme/secret:pull", "Authorization", basicHeader("alice", "secret")); status != http.StatusForbidden {
			t.Errorf("status is %d", status)
		}
		for _, header := range []string{basicHeader("alice", "secret"), "Bearer " + pass{bearerPass, v.URL, "x"}.String()} {
			if resp := g.ask(t, http.MethodGet, "/v2/acme/secret/manifests/1", "Authorization", header); resp.StatusCode != http.StatusForbidden {
				t.Errorf("status is %s", resp.Status)
			}
		}
	})
	t.Run("a client by http", func(t *testing.T) {
		g := newGateway(t, host(allowed))
		g.plainCredentials = true
		for _, path := range []string{"/token?scope=repository:acme/secret:pull", "/v2/acme/secret/manifests/1"} {
			resp := g.do(t, http.MethodGet, path, "Authorization", basicHeader("alice", "secret"))
			if body := text(t, resp); resp.StatusCode != http.StatusForbidden || !strings.Contains(body, "https only") {
				t.Errorf("%s: %s %s", path, resp.Status, body)
			}
		}
		if resp := g.do(t, http.MethodGet, "/token"); resp.StatusCode != http.StatusOK {
			t.Errorf("a token for nobody: %s", resp.Status)
		}
	})
	if len(v.logins()) != 0 {
		t.Error("the token server saw credentials")
	}
}

func TestARegistryThatTakesCredentialsItself(t *testing.T) {
	v := newVault(t)
	v.basic = true
	img := image(t)
	v.pushOpen(t, "acme/secret:1", img)
	g := newSecureGateway(t, host(v.image("skates", "acme/secret")))
	if got, err := crane.Digest(g.host()+"/skates:1", g.as("alice", "secret")...); err != nil || got != digest(t, img) {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := crane.Digest(g.host()+"/skates:1", g.as("alice", "wrong")...); err == nil {
		t.Error("pulled with wrong credentials")
	}
	if _, status := g.login(t, "", "Authorization", basicHeader("alice", "secret")); status != http.StatusOK {
		t.Errorf("a login: %d", status)
	}
}

func TestCredentialsBroughtAlongAreExchanged(t *testing.T) {
	v := newVault(t)
	v.pushOpen(t, "acme/secret:1", image(t))
	g := newSecureGateway(t, host(v.image("", "acme/secret")))
	resp := g.ask(t, http.MethodGet, "/v2/acme/secret/manifests/1", "Authorization", basicHeader("alice", "secret"))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Cache-Control") != "private, no-store" || resp.Header.Get("Vary") != "Authorization" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}

func TestRequestsForTokensThatMakeNoSense(t *testing.T) {
	v := newVault(t)
	g := newSecureGateway(t, host(v.image("", "acme/secret")))
	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
	}{
		{"a method of its own", "PUT", "/token", nil, 405},
		{"a Bearer token", "GET", "/token", []string{"Authorization", "Bearer x"}, 400},
		{"broken credentials", "GET", "/token", []string{"Authorization", "Basic !"}, 400},
		{"a query of garbage", "GET", "/token?%zz", nil, 400},
		{"too many scopes", "GET", "/token?scope=" + strings.Repeat("a:b:pull+", maxScopes+1), nil, 400},
		{"no grant", "POST", "/token", []string{""}, 400},
		{"a grant of its own", "POST", "/token", []string{"grant_type=client_credentials"}, 400},
		{"an empty refresh token", "POST", "/token", []string{"grant_type=refresh_token"}, 400},
		{"an endless form", "POST", "/token", []string{"grant_type=password&x=" + strings.Repeat("x", maxForm)}, 400},
		{"a name with a colon", "POST", "/token", []string{"grant_type=password&username=a:b&password=c"}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp := g.ask(t, tt.method, tt.path, tt.header...)
			if body := text(t, resp); resp.StatusCode != tt.status || !strings.Contains(body, codeUnsupported) {
				t.Errorf("%s %s", resp.Status, body)
			}
		})
	}
}

func FuzzParsePass(f *testing.F) {
	for _, p := range []pass{{kind: anonymousPass}, {bearerPass, "https://ghcr.io", "x.y.z"}, {refreshPass, "", "~"}} {
		f.Add(p.String())
	}
	f.Add("tg1..a.b")
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := parsePass(s)
		if !ok {
			return
		}
		if p.String() != s && p.kind != anonymousPass {
			t.Errorf("%q became %q", s, p.String())
		}
	})
}
