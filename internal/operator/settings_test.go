package operator

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/authority"
	"github.com/halon-extras/kafka/internal/conf"
)

// run runs the program in this process.
func run(t *testing.T, in string, args ...string) (out, errs string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = Run(t.Context(), args, Terminal{strings.NewReader(in), &stdout, &stderr})
	return stdout.String(), stderr.String(), status
}

// answer is the JSON of check --set.
type answer struct {
	Verdict  string
	Errstr   string
	Values   map[string]string
	Warnings []string
}

// ask runs check --json --set and holds what every answer must keep: one line, one object, the right status.
func ask(t *testing.T, settings ...string) answer {
	t.Helper()
	args := []string{"check", "--json"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	out, errs, status := run(t, "", args...)
	if errs != "" || strings.Count(out, "\n") != 1 || !strings.HasSuffix(out, "}\n") {
		t.Fatalf("%q: printed %q and %q", settings, out, errs)
	}
	if (status == exitFine) != strings.HasPrefix(out, `{"verdict":"OK","errstr":"",`) || status == exitUsage {
		t.Fatalf("%q: status %d with %s", settings, status, out)
	}
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	var a answer
	if err := d.Decode(&a); err != nil || a.Values == nil || a.Warnings == nil {
		t.Fatalf("%q: %v in %s", settings, err, out)
	}
	return a
}

// cases returns the rows of a table of librdkafka's verdicts, without its head.
func cases(t *testing.T, file string, least int) [][]string {
	t.Helper()
	data, err := os.ReadFile("../conf/testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n")[1:] {
		rows = append(rows, append(strings.Split(line, "\t"), "", "", "", ""))
	}
	if len(rows) < least {
		t.Fatalf("%s has %d cases, want at least %d", file, len(rows), least)
	}
	return rows
}

// unescape undoes the C escapes of the tables.
func unescape(t *testing.T, s string) string {
	t.Helper()
	text, err := strconv.Unquote(`"` + strings.NewReplacer(`\\`, `\\`, `\"`, `\"`, `\'`, `'`, `"`, `\"`).Replace(s) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return text
}

// TestSettings replays what librdkafka said to one setting after the other.
func TestSettings(t *testing.T) {
	for _, row := range cases(t, "set.tsv", 819) {
		name, text := unescape(t, row[0]), unescape(t, row[1])
		got := ask(t, name+"="+text)
		if row[2] != "OK" {
			if got.Verdict != row[2] || got.Errstr != unescape(t, row[3]) || len(got.Values) > 0 {
				t.Errorf("%s=%q: %+v, want %s %q", name, text, got, row[2], unescape(t, row[3]))
			}
			continue
		}
		// A setting that is accepted need not make a queue alone.
		if got.Verdict != "OK" && got.Verdict != "NEW_FAIL" {
			t.Errorf("%s=%q: %+v, want it accepted", name, text, got)
			continue
		}
		want := unescape(t, row[4])
		if p, _ := conf.Lookup(name); p.Secret && want != "<unset>" {
			want = "***"
		}
		if diff := cmp.Diff(map[string]string{name: want}, got.Values); diff != "" {
			t.Errorf("%s=%q (-librdkafka +here):\n%s", name, text, diff)
		}
	}
}

// TestConfigurations replays what librdkafka said to whole configurations.
func TestConfigurations(t *testing.T) {
	certs := authority.New(t, "ca").Folder()
	// OpenSSL's own words differ by its version.
	cut := func(s string) string { s, _, _ = strings.Cut(s, ": error:"); return s }
	for _, row := range cases(t, "new.tsv", 155) {
		t.Run(row[0], func(t *testing.T) {
			var settings []string
			for item := range strings.SplitSeq(strings.ReplaceAll(row[1], "$CERTS", certs), " ;; ") {
				name, text, _ := strings.Cut(item, "=")
				text = unescape(t, text)
				if path, ok := strings.CutPrefix(text, "@file:"); ok {
					data, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					text = string(data)
				}
				settings = append(settings, name+"="+text)
			}
			got := ask(t, settings...)
			verdict := strings.TrimPrefix(row[2], "CONF_SET_")
			want := strings.ReplaceAll(unescape(t, row[3]), "$CERTS", certs)
			if verdict == "OK" {
				want = "" // there it is the name of the client
			}
			if got.Verdict != verdict || cut(got.Errstr) != cut(want) {
				t.Fatalf("%s %q, want %s %q", got.Verdict, got.Errstr, verdict, want)
			}
			for line := range strings.SplitSeq(row[4], " || ") {
				parts := strings.SplitN(line, "|", 3)
				if verdict != "OK" || len(parts) < 3 || parts[1] == "MOCK" {
					continue
				}
				text := strings.TrimPrefix(strings.TrimPrefix(parts[2], "[thrd:app]: "), "[thrd:main]: ")
				if !strings.Contains("\n"+strings.Join(got.Warnings, "\n")+"\n", "\n"+text+"\n") {
					t.Errorf("the warning %q is not among %q", text, got.Warnings)
				}
			}
		})
	}
}

// TestSettingsExact is about the JSON itself: what goes in must come out.
func TestSettingsExact(t *testing.T) {
	for _, test := range []struct {
		sentence string
		settings []string
		want     string
	}{
		{
			"the value keeps every '=' after the first",
			[]string{"client.id=a=b==", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"client.id":"a=b==","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"nothing is escaped for HTML",
			[]string{"client.id=<a>&'b'", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"client.id":"<a>&'b'","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"newlines, control characters and quotes",
			[]string{"client.id=a\nb\tc\x01\"\\\x7fd", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"client.id":"a\nb\tc\u0001\"\\` + "\x7f" + `d","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"UTF-8 stays, other bytes become lone surrogates",
			[]string{"client.id=\u00e9\u2028\U0001f600\xff\xc3\xed\xa0\x80", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"client.id":"` + "\u00e9\u2028\U0001f600" + `\udcff\udcc3\udced\udca0\udc80","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"bytes that are no UTF-8 in a name and its error",
			[]string{"\xff\"=x"},
			`{"verdict":"UNKNOWN","errstr":"No such configuration property: \"\udcff\"\"","values":{},"warnings":[]}`,
		},
		{
			"an empty name",
			[]string{"="},
			`{"verdict":"UNKNOWN","errstr":"No such configuration property: \"\"","values":{},"warnings":[]}`,
		},
		{
			"the name is what was given, the value that of the property",
			[]string{"acks=all", "topic.acks=1", "request.required.acks=0x0", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"acks":"0","topic.acks":"0","request.required.acks":"0","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"the last of two settings counts, and the name stands once",
			[]string{"retries=1", "bootstrap.servers=x", "retries=2"},
			`{"verdict":"OK","errstr":"","values":{"retries":"2","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"the first refusal ends it; what was set before is shown",
			[]string{"retries=1", "acks=bad", "nosuch=1"},
			`{"verdict":"INVALID","errstr":"Invalid value for configuration property \"request.required.acks\"","values":{"retries":"1"},"warnings":[]}`,
		},
		{
			"a range error keeps its newline",
			[]string{"queue.buffering.max.messages=-1"},
			`{"verdict":"INVALID","errstr":"Configuration property \"queue.buffering.max.messages\" value -1 is outside allowed range 0..2147483647\n","values":{},"warnings":[]}`,
		},
		{
			"settings that do not go together",
			[]string{"enable.idempotence=true", "acks=1"},
			"{\"verdict\":\"NEW_FAIL\",\"errstr\":\"`acks` must be set to `all` when `enable.idempotence` is true\",\"values\":{\"enable.idempotence\":\"true\",\"acks\":\"1\"},\"warnings\":[]}",
		},
		{
			"secrets are masked, by any of their names; whether they are set is shown",
			[]string{"sasl.password=hunter2", "sasl.oauthbearer.client.credentials.client.secret=hunter2", "ssl.key.password=", "ssl.key.pem=  ", "bootstrap.servers=x"},
			`{"verdict":"OK","errstr":"","values":{"sasl.password":"***","sasl.oauthbearer.client.credentials.client.secret":"***","ssl.key.password":"<unset>","ssl.key.pem":"","bootstrap.servers":"x"},"warnings":[]}`,
		},
		{
			"what is accepted and does nothing is a warning",
			[]string{"bootstrap.servers=x", "test.mock.broker.rtt=2"},
			`{"verdict":"OK","errstr":"","values":{"bootstrap.servers":"x","test.mock.broker.rtt":"2"},"warnings":["Configuration property test.mock.broker.rtt has no effect here: no mock brokers are started"]}`,
		},
	} {
		t.Run(test.sentence, func(t *testing.T) {
			args := []string{"check", "--json"}
			for _, s := range test.settings {
				args = append(args, "--set="+s)
			}
			out, errs, _ := run(t, "", args...)
			if diff := cmp.Diff(test.want+"\n", out); diff != "" || errs != "" {
				t.Errorf("%s\n%s", diff, errs)
			}
			if !json.Valid([]byte(out)) {
				t.Errorf("not JSON: %q", out)
			}
		})
	}
}
