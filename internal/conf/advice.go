package conf

import (
	"fmt"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// librdkafka takes much without a word that cannot be what was meant. What follows keeps its values and says so.

// Advise returns what an operator should know about the value of one property that [Conf.Set] takes: what it means, where
// that is not what is written, and what was perhaps meant. It never shows the value of a secret.
func Advise(name, text string) []string {
	i := resolve(name)
	if i < 0 {
		return nil
	}
	p := &properties[i]
	var all []string
	switch p.Kind {
	case Int:
		all = append(all, p.adviseInt(name, text))
	case Double:
		all = append(all, p.adviseDouble(name, text))
	}
	if i == find(GlobalScope, "bootstrap.servers") {
		all = append(all, adviseBrokers(name, text)...)
	}
	if p.Name == "request.required.acks" {
		if n, _, ok := strtol(text); ok && n > 1 {
			all = append(all, fmt.Sprintf("%s: brokers refuse every message with %d: only 0, 1 and all are left in Kafka", name, n))
		}
	}
	if p.Name != "sasl.kerberos.kinit.cmd" {
		all = append(all, p.adviseTemplate(name, text))
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}

var (
	octal = regexp.MustCompile(`^\s*[+-]?0[0-7]+\s*$`)
	// amount is a number as people write it, with its unit.
	amount = regexp.MustCompile(`^\s*([+-]?[0-9][0-9_',]*\.?[0-9]*(?:[eE][0-9]+)?)\s*([A-Za-z]*)\s*$`)
)

func (p *Property) adviseInt(name, text string) string {
	long, rest, ok := strtol(text)
	if !ok {
		return "" // a word, or refused
	}
	n := int32(long)
	switch {
	case strings.TrimSpace(rest) != "":
		return fmt.Sprintf("%s: %q is read as %d%s: what stands behind the number is left out%s", name, text, n, p.unit().words, p.perhaps(text, float64(n)))
	case octal.MatchString(text):
		return fmt.Sprintf("%s: %q is read as %d: a zero in front makes a number octal", name, text, n)
	case int64(n) != long:
		return fmt.Sprintf("%s: %q is read as %d: of a larger number only 32 bits are left", name, text, n)
	}
	return ""
}

func (p *Property) adviseDouble(name, text string) string {
	f, rest, ok := strtod(text)
	if !ok {
		return ""
	}
	switch {
	case strings.TrimSpace(rest) != "":
		return fmt.Sprintf("%s: %q is read as %s%s: what stands behind the number is left out%s", name, text, formatG(f), p.unit().words, p.perhaps(text, f))
	case math.IsNaN(f):
		return fmt.Sprintf("%s: %q is no number: it is read as 0", name, text)
	}
	return ""
}

// unit is what a number of a property counts.
type unit struct {
	words string             // behind the number
	of    map[string]float64 // how many of it are in a unit that people write
}

var (
	inMilliseconds = unit{" milliseconds", map[string]float64{
		"ms": 1, "s": 1e3, "sec": 1e3, "m": 6e4, "min": 6e4, "h": 36e5, "d": 864e5, "": 1,
	}}
	inSeconds = unit{" seconds", map[string]float64{"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "": 1}}
	inBytes   = unit{" bytes", map[string]float64{
		"b": 1, "k": 1 << 10, "kb": 1e3, "kib": 1 << 10, "m": 1 << 20, "mb": 1e6, "mib": 1 << 20, "g": 1 << 30, "gb": 1e9, "gib": 1 << 30, "": 1,
	}}
	inKibibytes = unit{" KiB", map[string]float64{
		"k": 1, "kb": 1, "kib": 1, "m": 1 << 10, "mb": 1 << 10, "mib": 1 << 10, "g": 1 << 20, "gb": 1 << 20, "gib": 1 << 20, "": 1,
	}}
	inPieces = unit{"", map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9, "": 1}}
)

func (p *Property) unit() unit {
	switch {
	case strings.HasSuffix(p.Name, ".ms"):
		return inMilliseconds
	case strings.HasSuffix(p.Name, ".seconds"):
		return inSeconds
	case strings.HasSuffix(p.Name, ".kbytes"):
		return inKibibytes
	case strings.HasSuffix(p.Name, ".bytes") || p.Name == "batch.size":
		return inBytes
	}
	return inPieces
}

// perhaps returns the number that text seems to mean, where it is another one than librdkafka's and the property would
// take it.
func (p *Property) perhaps(text string, read float64) string {
	m := amount.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	n, err := strconv.ParseFloat(strings.NewReplacer("_", "", "'", "", ",", "").Replace(m[1]), 64)
	factor, known := p.unit().of[strings.ToLower(m[2])]
	n *= factor
	whole := n == math.Trunc(n)
	if err != nil || !known || n == read || p.Kind == Int && !whole || n < float64(p.Min) || n > float64(p.Max) {
		return ""
	}
	return "; " + strconv.FormatFloat(n, 'f', -1, 64) + " is perhaps meant"
}

var templates = regexp.MustCompile(`\$\{[^}]*\}|\{\{[^}]*\}\}|^\$[A-Za-z_][A-Za-z0-9_]*$|^%[A-Za-z_]+%$`)

// adviseTemplate is about a value that waits for something to replace a part of it.
func (p *Property) adviseTemplate(name, text string) string {
	found := templates.FindString(text)
	switch {
	case found == "", name == "sasl.username" && text == "$ConnectionString": // which is how Azure Event Hubs names the user
		return ""
	case p.MayBeSecret():
		return fmt.Sprintf("%s: nothing replaces the variable in it: keep the value under secrets, as {env: NAME} or {file: PATH}", name)
	}
	return fmt.Sprintf(`%s: nothing replaces %s, it is a part of the value: write !Env "%s" and start smtpd with --config-env-substitution`, name, found, text)
}

// adviseBrokers is about items that librdkafka takes and never reaches.
func adviseBrokers(name, list string) []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(name+": "+format, args...)) }
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		address := item
		if _, after, found := strings.Cut(item, "://"); found {
			address, _, _ = strings.Cut(after, "/")
		}
		if address == "" {
			continue
		}
		if parts := strings.FieldsFunc(address, func(c rune) bool { return c <= ' ' || c == ';' || c == '|' }); len(parts) > 1 {
			say("%q is taken as one broker: brokers are separated by commas, %s is perhaps meant", item, strings.Join(parts, ","))
			continue
		}
		first, last := strings.IndexByte(address, ':'), strings.LastIndexByte(address, ':')
		switch {
		case last < 0:
		case first == last || last > 0 && address[last-1] == ']':
			port := address[last+1:]
			n, err := strconv.Atoi(port)
			switch read := uint16(atoi(port)); {
			case err != nil:
				say("the port of %q is no number: it is read as %d", item, read)
			case n < 1 || n > math.MaxUint16:
				say("the port of %q is none: it is read as %d, and ports go from 1 to 65535", item, read)
			}
		case net.ParseIP(strings.Trim(address, "[]")) == nil:
			say("%q is taken as the name of a host, with the port %d: it has more than one colon and is no IPv6 address", item, defaultPort)
		}
	}
	return all
}
