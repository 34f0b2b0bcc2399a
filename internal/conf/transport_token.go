package conf

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// unsecuredToken makes an unsigned token out of sasl.oauthbearer.config, for tests: pairs between
// blanks, of principal (which must be there), principalClaimName, scope, scopeClaimName, lifeSeconds
// and any number of extension_NAME.
func unsecuredToken(c credentials) (oauth.Auth, error) {
	bad := func(why string) error {
		return errors.New("Invalid sasl.oauthbearer.config: " + why)
	}
	config := map[string]string{"principalClaimName": "sub", "scopeClaimName": "scope", "lifeSeconds": "3600"}
	extensions := map[string]string{}
	for item := range strings.FieldsSeq(c.get("sasl.oauthbearer.config")) {
		name, text, found := strings.Cut(item, "=")
		extension, isExtension := strings.CutPrefix(name, "extension_")
		switch {
		case !found:
			return oauth.Auth{}, bad("an item without =")
		case isExtension:
			extensions[extension] = text
		default:
			config[name] = text
		}
	}
	life, err := strconv.Atoi(config["lifeSeconds"])
	switch {
	case config["principal"] == "":
		return oauth.Auth{}, bad("no principal=<value>")
	case err != nil || life < 1:
		return oauth.Auth{}, bad("lifeSeconds is not a positive number")
	}
	now := time.Now()
	claims := map[string]any{
		config["principalClaimName"]: config["principal"],
		"iat":                        seconds(now),
		"exp":                        seconds(now.Add(time.Duration(life) * time.Second)),
	}
	if scopes := strings.FieldsFunc(config["scope"], func(r rune) bool { return r == ',' }); len(scopes) > 0 {
		claims[config["scopeClaimName"]] = scopes
	}
	token, err := encodeToken(map[string]any{"alg": "none"}, claims)
	return oauth.Auth{Token: token + ".", Extensions: extensions}, err
}

// seconds is a NumericDate with milliseconds.
func seconds(t time.Time) json.Number {
	return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond)))
}

// encodeToken returns head and claims of a token, which the signature follows.
func encodeToken(head, claims map[string]any) (string, error) {
	h, err := json.Marshal(head)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(c), nil
}

// tokenEnds reads when a token ends, and that it names a subject.
func tokenEnds(token, subjectClaim string) (time.Time, error) {
	part := strings.Split(token, ".")
	if len(part) != 3 {
		return time.Time{}, errors.New("the token is not a JSON web token")
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part[1], "="))
	if err != nil {
		return time.Time{}, errors.New("the token's claims are not base64url")
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil {
		return time.Time{}, errors.New("the token's claims are not JSON")
	}
	ends, ok := claims["exp"].(float64)
	if !ok || ends <= 0 {
		return time.Time{}, errors.New("the token has no claim exp")
	}
	if subject, ok := claims[subjectClaim].(string); !ok || subject == "" {
		return time.Time{}, fmt.Errorf("the token has no claim %s, which sasl.oauthbearer.sub.claim.name asks for", subjectClaim)
	}
	return time.UnixMilli(int64(ends * 1000)), nil
}
