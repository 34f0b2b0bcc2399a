package hsl

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
)

var hostFunctions = map[string]builtin{
	"gethostname": {fn: func(site, []Value) (Value, error) {
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		return String(name), nil
	}},
	"uuid":   {fn: func(site, []Value) (Value, error) { return String(newUUID()), nil }},
	"syslog": {params: "vs", fn: syslog},
	// metrics_set is Halon's for a gauge that monitor.metrics of smtpd-app.yaml declares.
	"metrics_set": {params: "sn", fn: func(c site, args []Value) (Value, error) {
		if c.m.env.Metric != nil {
			c.m.env.Metric(str(args[0]), float64(args[1].(Number)))
		}
		return None{}, nil
	}},
}

// newUUID is a random UUID, version 4 of RFC 9562.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// priorities are the names of syslog(3), with and without LOG_, in the order of their numbers.
var priorities = [...][]string{
	{"emerg", "panic"},
	{"alert"},
	{"crit"},
	{"err", "error"},
	{"warning", "warn"},
	{"notice"},
	{"info"},
	{"debug"},
}

func syslog(c site, args []Value) (Value, error) {
	level := -1
	switch p := args[0].(type) {
	case Number:
		if n, ok := whole(p); ok && n >= 0 && n <= 7 {
			level = int(n)
		}
	case String:
		name := strings.TrimPrefix(strings.ToLower(string(p)), "log_")
		for i, names := range priorities {
			if contains(names, name) {
				level = i
			}
		}
	}
	if level < 0 {
		return nil, errorString("syslog needs a priority: 0 to 7, or emerg, alert, crit, err, warning, notice, info or debug")
	}
	if c.m.env.Log != nil {
		c.m.env.Log(level, str(args[1]))
	}
	return None{}, nil
}
