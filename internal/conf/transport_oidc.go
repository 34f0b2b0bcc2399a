package conf

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/halon-extras/kafka/internal/keyfile"
)

// oidc fetches tokens from a token endpoint and keeps the last one for as long as it is good. It
// starts nothing: a token is fetched by the login that needs one, and a login finds one that will
// last for a while.
type oidc struct {
	credentials
	extensions map[string]string

	mu    sync.Mutex
	token string    // guarded by mu
	fresh time.Time // until when token is given out without asking again; guarded by mu
	ends  time.Time // until when token is good; guarded by mu
}

const (
	// azureTokens is where a machine in Azure asks for its token.
	azureTokens = "http://169.254.169.254/metadata/identity/oauth2/token"
	// tokenTimeout is how long an endpoint may take.
	tokenTimeout = 20 * time.Second
	// largestToken is more than an endpoint has to say.
	largestToken = 1 << 20
)

func newOIDC(s *Settings, c credentials) *oidc {
	o := &oidc{credentials: c, extensions: map[string]string{}}
	for _, p := range configPairs(s.conf.text("sasl.oauthbearer.extensions")) {
		o.extensions[p[0]] = p[1]
	}
	return o
}

// auth returns a token for a login. When the endpoint fails, a token that is still good is used.
func (o *oidc) auth(ctx context.Context) (oauth.Auth, error) {
	o.mu.Lock()
	token, fresh, ends := o.token, o.fresh, o.ends
	o.mu.Unlock()
	now := time.Now()
	if token == "" || !now.Before(fresh) {
		next, err := o.fetch(ctx)
		if err == nil {
			err = o.keep(next, now)
		}
		if err != nil && (token == "" || !now.Before(ends)) {
			return oauth.Auth{}, fmt.Errorf("sasl.oauthbearer.token.endpoint.url: %w", err)
		}
		if err == nil {
			token = next
		}
	}
	return oauth.Auth{Token: token, Extensions: o.extensions}, nil
}

// keep remembers a token. It is asked for again after four fifths of its life, as librdkafka does.
func (o *oidc) keep(token string, now time.Time) error {
	ends, err := tokenEnds(token, o.conf.text("sasl.oauthbearer.sub.claim.name"))
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.token, o.ends, o.fresh = token, ends, now.Add(ends.Sub(now)*4/5)
	return nil
}

// fetch asks the endpoint for a token. Nothing of what was sent or answered gets into an error, as
// both hold secrets.
func (o *oidc) fetch(ctx context.Context) (string, error) {
	request, err := o.request(ctx)
	if err != nil {
		return "", err
	}
	client, err := o.client()
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the address, whose query may hold a secret
		}
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, largestToken))
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error"`
	}
	decoded := json.Unmarshal(body, &answer)
	switch {
	case response.StatusCode/100 != 2 && decoded == nil && answer.Error != "":
		return "", fmt.Errorf("the token endpoint answers %s: %s", response.Status, answer.Error)
	case response.StatusCode/100 != 2:
		return "", fmt.Errorf("the token endpoint answers %s", response.Status)
	case decoded != nil:
		return "", errors.New("the token endpoint does not answer in JSON")
	case answer.AccessToken == "":
		return "", errors.New("the answer of the token endpoint has no access_token")
	}
	return answer.AccessToken, nil
}

// client returns an HTTP client that trusts what https.ca.* say.
func (o *oidc) client() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if location := o.conf.text("https.ca.location"); location != "" && location != "probe" {
		config.RootCAs = x509.NewCertPool()
		info, err := os.Stat(location)
		if err != nil {
			return nil, err
		}
		found := readTrustFolder(location)
		if !info.IsDir() {
			if found, err = readTrust(location); err != nil {
				return nil, fmt.Errorf("https.ca.location: %w", err)
			}
		}
		if err := found.addTo(config.RootCAs); err != nil {
			return nil, fmt.Errorf("https.ca.location: %w", err)
		}
	}
	if o.conf.present("https.ca.pem") {
		config.RootCAs = x509.NewCertPool()
		found, _, err := keyfile.Certificates([]byte(o.get("https.ca.pem")))
		if err == nil {
			err = trust{certificates: found}.addTo(config.RootCAs)
		}
		if err != nil {
			return nil, fmt.Errorf("https.ca.pem: %w", err)
		}
	}
	return &http.Client{
		Timeout:       tokenTimeout,
		CheckRedirect: followNear,
		Transport:     &http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment},
	}, nil
}

// request builds what the grant type asks for.
func (o *oidc) request(ctx context.Context) (*http.Request, error) {
	endpoint := o.conf.text("sasl.oauthbearer.token.endpoint.url")
	switch o.conf.word("sasl.oauthbearer.metadata.authentication.type") {
	case "aws_iam":
		// Compat: without a program's own callback librdkafka only fails here.
		return nil, errors.New("sasl.oauthbearer.metadata.authentication.type=aws_iam gives no token: use sasl.mechanism=AWS_MSK_IAM")
	case "azure_imds":
		return o.azureRequest(ctx, endpoint)
	}
	form := url.Values{}
	if scope := o.conf.text("sasl.oauthbearer.scope"); scope != "" {
		form.Set("scope", scope)
	}
	jwt := o.conf.word("sasl.oauthbearer.grant.type") != "client_credentials"
	if jwt {
		assertion, err := o.assertion()
		if err != nil {
			return nil, err
		}
		form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		form.Set("assertion", assertion)
	} else {
		form.Set("grant_type", "client_credentials")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the address is not a URL")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	if !jwt {
		request.SetBasicAuth(o.get("sasl.oauthbearer.client.id"), o.get("sasl.oauthbearer.client.secret"))
	}
	return request, nil
}

// azureRequest asks the metadata service of a machine in Azure.
func (o *oidc) azureRequest(ctx context.Context, endpoint string) (*http.Request, error) {
	endpoint = cmp.Or(endpoint, azureTokens)
	pairs := configPairs(o.get("sasl.oauthbearer.config"))
	if i := slices.IndexFunc(pairs, func(p [2]string) bool { return p[0] == "query" && p[1] != "" }); i >= 0 {
		separator := "?"
		if strings.Contains(endpoint, "?") {
			separator = "&"
		}
		endpoint += separator + pairs[i][1]
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint, nil)
	if err != nil {
		return nil, errors.New("the address is not a URL")
	}
	request.Header.Set("Metadata", "true")
	return request, nil
}
