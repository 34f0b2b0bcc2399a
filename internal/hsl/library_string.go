package hsl

import (
	"math"
	"strings"
)

var stringFunctions = map[string]builtin{
	"str_lower": {params: "s", fn: asciiCase('A', 'Z', 'a'-'A')},
	"str_upper": {params: "s", fn: asciiCase('a', 'z', -('a' - 'A'))},
	"str_repeat": {params: "sn", fn: func(c site, args []Value) (Value, error) {
		return c.m.repeat(c.at, str(args[0]), args[1].(Number))
	}},
	"str_replace": {params: "sss", fn: strReplace},
	"str_split":   {params: "ss|n", fn: strSplit},
	"str_find":    {params: "ss|n", fn: strFind},
	"str_rfind":   {params: "ss|n", fn: strRfind},
	"str_slice":   {params: "sn|n", fn: strSlice},
	"str_chunk":   {params: "sn|n", fn: strChunk},
	"str_strip":   {params: "s|s", fn: strip(strings.Trim)},
	"str_lstrip":  {params: "s|s", fn: strip(strings.TrimLeft)},
	"str_rstrip":  {params: "s|s", fn: strip(strings.TrimRight)},
	"chr": {params: "n", fn: func(_ site, args []Value) (Value, error) {
		i, ok := whole(args[0].(Number))
		if !ok || i < 0 || i > 255 {
			return nil, errorString("chr needs a number from 0 to 255")
		}
		return String([]byte{byte(i)}), nil
	}},
	"ord": {params: "s", fn: func(_ site, args []Value) (Value, error) {
		s := str(args[0])
		if s == "" {
			return nil, errorString("ord needs a string that is not empty")
		}
		return Number(s[0]), nil
	}},
}

// asciiCase moves the letters from first to last by shift; other bytes stay.
func asciiCase(first, last byte, shift int) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) {
		b := []byte(str(args[0]))
		for i, c := range b {
			if first <= c && c <= last {
				b[i] = byte(int(c) + shift)
			}
		}
		return String(b), nil
	}
}

func strip(trim func(s, set string) string) func(site, []Value) (Value, error) {
	return func(_ site, args []Value) (Value, error) {
		set := " \t\r\n"
		if len(args) > 1 {
			set = str(args[1])
		}
		return String(trim(str(args[0]), set)), nil
	}
}

func strReplace(c site, args []Value) (Value, error) {
	search, replace, subject := str(args[0]), str(args[1]), str(args[2])
	if search == "" {
		return nil, errorString("str_replace needs something to search for")
	}
	n := strings.Count(subject, search)
	if err := c.m.fits(c.at, float64(len(subject))+float64(n)*float64(len(replace))); err != nil {
		return nil, err
	}
	return String(strings.ReplaceAll(subject, search, replace)), nil
}

// strSplit makes at most limit pieces; a limit below zero counts from the right.
func strSplit(c site, args []Value) (Value, error) {
	s, delimiter := str(args[0]), str(args[1])
	if delimiter == "" {
		return nil, errorString("str_split needs a delimiter")
	}
	limit := -1
	if len(args) > 2 && num(args[2]) != 0 {
		n, ok := whole(args[2].(Number))
		if !ok {
			return nil, errorString("the limit of str_split must be a whole number")
		}
		limit = int(max(min(n, math.MaxInt32), -math.MaxInt32))
	}
	if err := c.m.fits(c.at, elementBytes*float64(strings.Count(s, delimiter))); err != nil {
		return nil, err
	}
	var pieces []string
	if len(args) > 2 && limit < 0 && num(args[2]) != 0 {
		pieces = splitRight(s, delimiter, -limit)
	} else {
		pieces = strings.SplitN(s, delimiter, limit)
	}
	a := &Array{}
	for _, p := range pieces {
		a.Append(String(p))
	}
	return a, nil
}

func splitRight(s, delimiter string, limit int) []string {
	var pieces []string
	for limit > 1 {
		i := strings.LastIndex(s, delimiter)
		if i < 0 {
			break
		}
		pieces = append(pieces, s[i+len(delimiter):])
		s = s[:i]
		limit--
	}
	pieces = append(pieces, s)
	for i, j := 0, len(pieces)-1; i < j; i, j = i+1, j-1 {
		pieces[i], pieces[j] = pieces[j], pieces[i]
	}
	return pieces
}

// offset is an optional argument from 0 to size.
func offset(args []Value, i, size int) (int, error) {
	if i >= len(args) {
		return 0, nil
	}
	n, ok := whole(args[i].(Number))
	if !ok || n < 0 {
		return 0, errorString("an offset must be a number from 0 on")
	}
	return int(min(n, int64(size))), nil
}

func strFind(_ site, args []Value) (Value, error) {
	s := str(args[0])
	from, err := offset(args, 2, len(s))
	if err != nil {
		return nil, err
	}
	i := strings.Index(s[from:], str(args[1]))
	if i < 0 {
		return Number(-1), nil
	}
	return Number(from + i), nil
}

func strRfind(_ site, args []Value) (Value, error) {
	s := str(args[0])
	from, err := offset(args, 2, len(s))
	if err != nil {
		return nil, err
	}
	return Number(strings.LastIndex(s[:len(s)-from], str(args[1]))), nil
}

// strSlice is s[offset:offset+length]; an offset below zero counts from the end.
func strSlice(_ site, args []Value) (Value, error) {
	s := str(args[0])
	from, ok := whole(args[1].(Number))
	if !ok {
		return nil, errorString("the offset of str_slice must be a number")
	}
	if from < 0 {
		from = max(from+int64(len(s)), 0)
	}
	from = min(from, int64(len(s)))
	n := int64(len(s)) - from
	if len(args) > 2 {
		want, ok := whole(args[2].(Number))
		if !ok || want < 0 {
			return nil, errorString("the length of str_slice must be a number from 0 on")
		}
		n = min(n, want)
	}
	return String(s[from : from+n]), nil
}

// strChunk cuts s into pieces of one length; the first one may have its own.
func strChunk(c site, args []Value) (Value, error) {
	s := str(args[0])
	size, ok := whole(args[1].(Number))
	first := size
	if len(args) > 2 {
		var ok2 bool
		first, ok2 = whole(args[2].(Number))
		ok = ok && ok2
	}
	if !ok || size < 1 || first < 1 {
		return nil, errorString("the lengths of str_chunk must be numbers from 1 on")
	}
	if err := c.m.fits(c.at, elementBytes*float64(len(s))/float64(size)); err != nil {
		return nil, err
	}
	a := &Array{}
	for n := first; s != ""; n = size {
		n = min(n, int64(len(s)))
		a.Append(String(s[:n]))
		s = s[n:]
	}
	return a, nil
}
