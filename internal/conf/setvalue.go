package conf

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// set parses text for property i and stores it, with librdkafka's rules for each kind.
func (c *Conf) set(i int, text string) error {
	p, v := &properties[i], &c.values[i]
	// The release build of librdkafka lacks these whatever the value is. Java properties have no
	// value at all, only a text that sends the operator to the right property.
	if p.Unsupported != "" && p.Kind != Java {
		return invalid(`Configuration property "%s" not supported in this build: %s`, p.Name, p.Unsupported)
	}
	if what := neverEmpty[p.Kind]; what != "" && text == "" {
		return invalid(`%s property "%s" cannot be set to empty value`, what, p.Name)
	}
	switch p.Kind {
	case String:
		return c.setText(i, trimLeftSpace(text), text != "")
	case KafkaString:
		return c.setText(i, text, text != "")
	case Int:
		return setInt(p, v, text)
	case Double:
		return setDouble(p, v, text)
	case Bool:
		return setBool(p, v, text)
	case Enum:
		return setEnum(p, v, text)
	case Flags:
		return setFlags(p, v, text)
	case Patterns:
		return setPatterns(v, text)
	case Internal:
		return invalid(`Internal property "%s" not settable`, p.Name)
	case Java:
		return invalid("%s", p.Unsupported)
	default:
		return invalid(`Property "%s" must be set through dedicated .._set_..() function`, p.Name)
	}
}

// neverEmpty are the kinds that take no empty text, as librdkafka's error names them.
var neverEmpty = map[Kind]string{
	Int: "Integer configuration", Double: "Float configuration", Bool: "Bool configuration", Enum: "Configuration", Flags: "Configuration",
}

func invalid(format string, args ...any) error {
	return &SetError{Verdict: Invalid, Text: fmt.Sprintf(format, args...)}
}

// setText stores text, or the default when present is false. Only text that is empty as given
// resets: text of blanks is the empty text once they are cut, and that is a value.
func (c *Conf) setText(i int, text string, present bool) error {
	p, v := &properties[i], &c.values[i]
	if p.invalid != nil && (!present || p.invalid(text)) {
		if !present {
			text = "(null)"
		}
		return invalid(`Invalid value for configuration property "%s": %s`, p.Name, text)
	}
	if p.refuse != nil && text != "" {
		if err := p.refuse(text); err != nil {
			return err
		}
	}
	c.reset(i)
	if present {
		v.text, v.present = text, true
	}
	v.modified = true
	return nil
}

// refusePlugin gives the words of the loader for a library that is not there. Compat: one that is
// there is refused too, because a librdkafka interceptor cannot run without librdkafka.
func refusePlugin(paths string) error {
	path, _, _ := strings.Cut(paths, ";")
	file := path
	// librdkafka tries a second name unless a dot stands among the last three characters.
	name := path[strings.LastIndexByte(path, '/')+1:]
	if dot := strings.LastIndexByte(name, '.'); dot < 0 || dot < len(name)-len(".so") {
		file += ".so"
	}
	reason := "cannot open shared object file: No such file or directory"
	if _, err := os.Stat(path); err == nil {
		file, reason = path, "librdkafka plugins cannot be loaded without librdkafka"
	}
	// librdkafka writes dots for the line breaks in what the loader said, and leaves them in the path.
	said := strings.ReplaceAll(file+": "+reason, "\n", ".")
	return invalid("dlopen() failed: %s (plugin %s)", said, path)
}

func setInt(p *Property, v *value, text string) error {
	long, _, ok := strtol(text)
	n := int32(long)
	if !ok {
		w := p.word(text)
		if w == nil {
			return invalid(`Invalid value for configuration property "%s"`, p.Name)
		}
		n = w.Value
	}
	if n < p.Min || n > p.Max {
		return invalid("Configuration property \"%s\" value %d is outside allowed range %d..%d\n", p.Name, n, p.Min, p.Max)
	}
	v.number, v.modified = n, true
	return nil
}

func setDouble(p *Property, v *value, text string) error {
	f, _, ok := strtod(text)
	if !ok {
		return invalid(`Invalid value for configuration property "%s"`, p.Name)
	}
	// NaN passes both comparisons, as it does in C.
	if f < float64(p.Min) || f > float64(p.Max) {
		return invalid("Configuration property \"%s\" value %s is outside allowed range %s..%s\n",
			p.Name, formatG(f), formatG(float64(p.Min)), formatG(float64(p.Max)))
	}
	v.double, v.modified = f, true
	return nil
}

func setBool(p *Property, v *value, text string) error {
	switch {
	case text == "1" || equalFold(text, "true") || equalFold(text, "t"):
		v.number = 1
	case text == "0" || equalFold(text, "false") || equalFold(text, "f"):
		v.number = 0
	default:
		return invalid(`Expected bool value for "%s": true or false`, p.Name)
	}
	v.modified = true
	return nil
}

func setEnum(p *Property, v *value, text string) error {
	item := trimLeftSpace(text)
	if item == "" {
		return nil // blanks only: accepted, and nothing is set
	}
	w := p.word(item)
	if w == nil {
		return invalid(`Invalid value "%s" for configuration property "%s"`, item, p.Name)
	}
	v.number, v.modified = w.Value, true
	return nil
}

func setFlags(p *Property, v *value, text string) error {
	for item := range strings.SplitSeq(text, ",") {
		item = trimLeftSpace(item)
		remove := false
		if item != "" && (item[0] == '+' || item[0] == '-') {
			remove = item[0] == '-'
			item = item[1:]
		}
		if item == "" {
			continue
		}
		w := p.word(item)
		switch {
		case w == nil:
			return invalid(`Invalid value "%s" for configuration property "%s"`, item, p.Name)
		case w.Unsupported != "":
			return invalid(`Unsupported value "%s" for configuration property "%s": %s`, item, p.Name, w.Unsupported)
		case remove:
			v.number &^= w.Value
		default:
			v.number |= w.Value
		}
		v.modified = true
	}
	return nil
}

func setPatterns(v *value, text string) error {
	if text == "" {
		*v = value{modified: true}
		return nil
	}
	patterns, bad, reason := parsePatterns(text)
	if reason != "" {
		// librdkafka has dropped the old list by now, and does not mark the property as set.
		*v = value{modified: v.modified}
		return invalid(`Failed to parse pattern "%s": %s`, bad, reason)
	}
	*v = value{text: text, present: true, modified: true, patterns: patterns}
	return nil
}

// word finds a named value, without regard to case.
func (p *Property) word(name string) *Word {
	for i := range p.Words {
		if equalFold(p.Words[i].Name, name) {
			return &p.Words[i]
		}
	}
	return nil
}

// print returns the value of property i as rd_kafka_conf_get does.
func (c *Conf) print(i int) (string, bool) {
	p, v := &properties[i], &c.values[i]
	switch p.Kind {
	case Int:
		return strconv.Itoa(int(v.number)), true
	case Double:
		return formatG(v.double), true
	case Bool:
		return strconv.FormatBool(v.number != 0), true
	case Enum:
		for _, w := range p.Words {
			if w.Value == v.number {
				return w.Name, true
			}
		}
		return "", false
	case Flags:
		var names []string
		for _, w := range p.Words {
			if w.Unsupported == "" && v.number&w.Value == w.Value {
				names = append(names, w.Name)
			}
		}
		return strings.Join(names, ","), true
	default:
		return v.text, v.present
	}
}
