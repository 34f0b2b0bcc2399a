package conf

import (
	"errors"
	"fmt"
	"net/http"
)

// mostRedirects is that of package http.
const mostRedirects = 10

// followNear lets a token endpoint redirect to another of its own paths, from http to https too. Elsewhere the secret of the client would go,
// or its signed statement, to somebody who was not named, or in plain text.
//
// Compat: libcurl follows anywhere.
func followNear(next *http.Request, via []*http.Request) error {
	if len(via) >= mostRedirects {
		return fmt.Errorf("the token endpoint redirects more than %d times", mostRedirects)
	}
	// Each step is held against the first one. Addresses are not shown: a query may hold a secret.
	first := via[0].URL
	switch {
	case next.URL.Hostname() != first.Hostname():
		return fmt.Errorf("the token endpoint redirects to the other host %q: set the address that is meant", next.URL.Hostname())
	case next.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https":
		return errors.New("the token endpoint redirects from https to http, where everybody could read the secret of the client")
	case next.URL.Scheme == first.Scheme && next.URL.Port() != first.Port():
		return fmt.Errorf("the token endpoint redirects to the other port %q: set the address that is meant", next.URL.Port())
	}
	return nil
}
