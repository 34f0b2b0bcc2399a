package conf

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestRedirectsOfTheEndpoint sends a token request on, and holds that the secret goes to nobody but the endpoint that is set.
func TestRedirectsOfTheEndpoint(t *testing.T) {
	other := newTokenServer(t, time.Hour)
	var reached atomic.Int32
	open := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(open.Close)
	port := func(address string) string { return address[strings.LastIndexByte(address, ':'):] }
	for _, c := range []struct{ name, to, fails string }{
		{"to another path", "/elsewhere", ""},
		{"to http", open.URL, "redirects from https to http"},
		{"to another host", "https://localhost" + port(other.URL), `redirects to the other host "localhost"`},
		{"to another port", other.URL, "redirects to the other port"},
		{"in a circle", "/token", "redirects more than 10 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newTokenServer(t, time.Hour)
			inner := server.Config.Handler
			server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					http.Redirect(w, r, c.to, http.StatusTemporaryRedirect)
					return
				}
				inner.ServeHTTP(w, r)
			})
			_, o := server.source(t, "sasl.oauthbearer.client.id", "id", "sasl.oauthbearer.client.secret", "geheim")
			_, err := o.auth(t.Context())
			switch {
			case c.fails != "":
				if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "geheim") {
					t.Errorf("error %v, want one with %q", err, c.fails)
				}
			case err != nil:
				t.Error(err)
			case len(server.requests()) != 1:
				t.Errorf("%d requests", len(server.requests()))
			}
		})
	}
	if reached.Load() > 0 || len(other.requests()) > 0 {
		t.Error("the secret went to another server")
	}
}
