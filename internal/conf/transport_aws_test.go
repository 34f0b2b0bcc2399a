package conf

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// signed is a request as AWS's Signature Version 4 sees it.
type signed struct {
	secret, region, service string
	at                      time.Time
	path                    string
	query                   url.Values
	headers                 [][2]string // by name, in order
	payload                 string      // its hash
}

// signature is written from AWS's description, for the published examples and for what the client
// sends to a broker.
func (s signed) signature() string {
	const stamp = "20060102T150405Z"
	names := make([]string, len(s.headers))
	block := ""
	for i, h := range s.headers {
		names[i] = h[0]
		block += h[0] + ":" + strings.TrimSpace(h[1]) + "\n"
	}
	request := strings.Join([]string{
		"GET", s.path, strings.ReplaceAll(s.query.Encode(), "+", "%20"), block, strings.Join(names, ";"), s.payload,
	}, "\n")
	day := s.at.UTC().Format(stamp)[:8]
	scope := strings.Join([]string{day, s.region, s.service, "aws4_request"}, "/")
	hash := sha256.Sum256([]byte(request))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", s.at.UTC().Format(stamp), scope, hex.EncodeToString(hash[:])}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{day, s.region, s.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

const emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// The published examples: two of AWS's test suite for Signature Version 4, and the signed address in
// the manual of S3, which like a login to MSK has everything in its query.
func TestSignaturesOfTheExamplesThatAWSHasPublished(t *testing.T) {
	suite := signed{
		secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "service",
		at: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC), path: "/", payload: emptyPayload,
		headers: [][2]string{{"host", "example.amazonaws.com"}, {"x-amz-date", "20150830T123600Z"}},
	}
	ordered := suite
	ordered.query = url.Values{"Param2": {"value2"}, "Param1": {"value1"}}
	address := signed{
		secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1", service: "s3",
		at: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC), path: "/test.txt", payload: "UNSIGNED-PAYLOAD",
		headers: [][2]string{{"host", "examplebucket.s3.amazonaws.com"}},
		query: url.Values{
			"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
			"X-Amz-Credential":    {"AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"},
			"X-Amz-Date":          {"20130524T000000Z"},
			"X-Amz-Expires":       {"86400"},
			"X-Amz-SignedHeaders": {"host"},
		},
	}
	for _, test := range []struct {
		name string
		signed
		want string
	}{
		{"get-vanilla", suite, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-query-order-key-case", ordered, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"signed address", address, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
	} {
		if got := test.signature(); got != test.want {
			t.Errorf("%s: signature %s, want %s", test.name, got, test.want)
		}
	}
}

func TestALoginToMSKIsSignedAsAWSDescribes(t *testing.T) {
	for _, session := range []string{"", "FwoGZXIvYXdzE+/a b=="} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(36*time.Hour + 90*time.Second)
			properties := []string{"security.protocol", "sasl_ssl", "sasl.mechanism", "AWS_MSK_IAM"}
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			if session == "" {
				properties = append(properties, "sasl.username", "AKIDEXAMPLE", "sasl.password", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
			} else {
				t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
				t.Setenv("AWS_SESSION_TOKEN", session)
			}
			set := settingsFor(t, properties...)
			const host = "b-1.mail.abc123.c2.kafka.eu-north-1.amazonaws.com"
			_, first, err := set.mechanism(credentials{conf: set.conf}).Authenticate(t.Context(), host+":9098")
			if err != nil {
				t.Fatal(err)
			}
			var sent map[string]string
			if err := json.Unmarshal(first, &sent); err != nil {
				t.Fatal(err)
			}
			now := time.Now().UTC()
			query := url.Values{
				"Action":              {"kafka-cluster:Connect"},
				"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
				"X-Amz-Credential":    {"AKIDEXAMPLE/" + now.Format("20060102") + "/eu-north-1/kafka-cluster/aws4_request"},
				"X-Amz-Date":          {now.Format("20060102T150405Z")},
				"X-Amz-Expires":       {sent["x-amz-expires"]},
				"X-Amz-SignedHeaders": {"host"},
			}
			if session != "" {
				query.Set("X-Amz-Security-Token", session)
			}
			want := signed{
				secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", region: "eu-north-1", service: "kafka-cluster",
				at: now, path: "/", query: query, headers: [][2]string{{"host", host}}, payload: emptyPayload,
			}.signature()
			if sent["x-amz-signature"] != want {
				t.Errorf("signature %s, want %s", sent["x-amz-signature"], want)
			}
			for name, values := range query {
				if got := sent[strings.ToLower(name)]; got != values[0] || got == "" {
					t.Errorf("%s is %q, want %q", name, got, values[0])
				}
			}
			if sent["host"] != host || sent["version"] != "2020_10_22" || sent["user-agent"] == "" {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

func TestAWSNeedsAKey(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	create := func(properties ...string) (*Settings, error) {
		c := New()
		for i := 0; i < len(properties); i += 2 {
			if err := c.Set(properties[i], properties[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		s, _, err := c.Finalize(1)
		return s, err
	}
	common := []string{"security.protocol", "sasl_ssl", "sasl.mechanism", "AWS_MSK_IAM"}
	if _, err := create(common...); err == nil || err.Error() != "Unsupported SASL mechanism: AWS_MSK_IAM" {
		t.Errorf("without a key: %v", err)
	}
	s, err := create(append(common, "sasl.username", "AKID", "sasl.password", "secret")...)
	if err != nil {
		t.Fatal(err)
	}
	mechanism := s.mechanism(credentials{conf: s.conf})
	if mechanism == nil || mechanism.Name() != "AWS_MSK_IAM" {
		t.Fatalf("mechanism %v", mechanism)
	}
	_, first, err := mechanism.Authenticate(t.Context(), "b-1.x.kafka.eu-north-1.amazonaws.com:9098")
	if err != nil {
		t.Fatal(err)
	}
	var sent map[string]string
	if err := json.Unmarshal(first, &sent); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(sent["x-amz-credential"], "AKID/") || strings.Contains(string(first), "secret") || len(sent["x-amz-signature"]) != 64 {
		t.Errorf("first message %v", sent)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "ENVID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
	t.Setenv("AWS_SESSION_TOKEN", "session")
	if s, err = create(common...); err != nil {
		t.Fatal(err)
	}
	if auth, err := awsAuth(credentials{conf: s.conf}); err != nil || auth.AccessKey != "ENVID" || auth.SessionToken != "session" {
		t.Errorf("from the environment: %v", err)
	}
}
