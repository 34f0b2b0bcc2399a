package hsl

import (
	"regexp"
	"strings"
)

var patternFunctions = map[string]builtin{
	"pcre_match":     {params: "ps", fn: pcreMatch},
	"pcre_match_all": {params: "ps", fn: pcreMatchAll},
	"pcre_replace":   {params: "pvs|n", fn: pcreReplace},
	"pcre_quote": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		return String(regexp.QuoteMeta(str(args[0]))), nil
	}},
}

// patternOf is a regular expression given as a literal, or as a string, with /.../flags around or
// without.
func patternOf(v Value) (*regexp.Regexp, error) {
	switch v := v.(type) {
	case *Regex:
		return v.re, nil
	case String:
		s := string(v)
		if end := strings.LastIndexByte(s, '/'); end > 0 && s[0] == '/' && strings.Trim(s[end+1:], "imsuxUX") == "" {
			return compileRegex(s[1:end], s[end+1:])
		}
		return compileRegex(s, "")
	}
	return nil, errorString("a regular expression must be a string or a literal, not a value of type " + v.typeName())
}

// groups is [0 => all, 1 => first group, ...], with a named group under its name too.
func groups(re *regexp.Regexp, subject string, at []int) *Array {
	a := &Array{}
	for i, name := range re.SubexpNames() {
		text := ""
		if at[2*i] >= 0 {
			text = subject[at[2*i]:at[2*i+1]]
		}
		if name != "" {
			_ = a.Set(String(name), String(text)) // a string is always a valid key
		}
		_ = a.Set(Number(i), String(text))
	}
	return a
}

// pcreMatch gives an empty array, which is false, where nothing matches.
func pcreMatch(_ site, args []Value) (Value, error) {
	re, err := patternOf(args[0])
	if err != nil {
		return nil, err
	}
	at := re.FindStringSubmatchIndex(str(args[1]))
	if at == nil {
		return &Array{}, nil
	}
	return groups(re, str(args[1]), at), nil
}

// pcreMatchAll has a list of all matches for each group.
func pcreMatchAll(c site, args []Value) (Value, error) {
	re, err := patternOf(args[0])
	if err != nil {
		return nil, err
	}
	subject := str(args[1])
	out := &Array{}
	all := re.FindAllStringSubmatchIndex(subject, -1)
	if err := c.m.fits(c.at, elementBytes*float64(len(all))*float64(1+re.NumSubexp())); err != nil {
		return nil, err
	}
	for _, at := range all {
		one := groups(re, subject, at)
		for i := range one.Len() {
			key, val := one.At(i)
			list := &Array{}
			if old, ok := out.Get(key); ok {
				list = old.(*Array)
			}
			list.Append(val)
			_ = out.Set(key, list) // the key comes from groups
			list.shared = false
		}
	}
	return out, nil
}

// pcreReplace puts a string, in which \1 and $1 are groups, or what a function makes of the groups.
func pcreReplace(c site, args []Value) (Value, error) {
	re, err := patternOf(args[0])
	if err != nil {
		return nil, err
	}
	subject, limit := str(args[2]), -1
	if len(args) > 3 && num(args[3]) > 0 {
		n, _ := whole(args[3].(Number))
		limit = int(n)
	}
	var b strings.Builder
	from := 0
	for _, at := range re.FindAllStringSubmatchIndex(subject, limit) {
		b.WriteString(subject[from:at[0]])
		from = at[1]
		t, err := c.replacement(args[1], re, subject, at)
		if err != nil {
			return nil, err
		}
		if err := c.m.fits(c.at, float64(b.Len()+len(t)+len(subject))); err != nil {
			return nil, err
		}
		b.WriteString(t)
	}
	b.WriteString(subject[from:])
	return String(b.String()), nil
}

func (c site) replacement(by Value, re *regexp.Regexp, subject string, at []int) (string, error) {
	switch by := by.(type) {
	case String:
		return expand(string(by), subject, at), nil
	case *Function:
		v, err := c.apply(by, groups(re, subject, at))
		if err != nil {
			return "", err
		}
		return text(v, c.m.limits.Bytes)
	}
	return "", errorString("pcre_replace needs a string or a function as its second argument, not a value of type " + by.typeName())
}

// expand puts the groups in place of \0 to \9 and $0 to $9.
func expand(by, subject string, at []int) string {
	var b strings.Builder
	for i := 0; i < len(by); i++ {
		if (by[i] == '\\' || by[i] == '$') && i+1 < len(by) && isDigit(by[i+1]) {
			i++
			if g := 2 * int(by[i]-'0'); g < len(at) && at[g] >= 0 {
				b.WriteString(subject[at[g]:at[g+1]])
			}
			continue
		}
		b.WriteByte(by[i])
	}
	return b.String()
}
