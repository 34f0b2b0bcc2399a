package hsl

import (
	"fmt"
	"math"
	"strings"
	"time"
)

var timeFunctions = map[string]builtin{
	"time": {fn: func(_ site, _ []Value) (Value, error) { return seconds(time.Now()), nil }},
	"timelocal": {fn: func(_ site, _ []Value) (Value, error) {
		now := time.Now()
		_, zone := now.Local().Zone()
		return seconds(now) + Number(zone), nil
	}},
	"executiontime": {fn: func(c site, _ []Value) (Value, error) {
		return Number(time.Since(c.m.begun).Seconds()), nil
	}},
	"sleep":        {params: "n", fn: sleep},
	"strftime":     {params: "s|na", fn: strftime},
	"strpduration": {params: "s", fn: strpduration},
}

// seconds since 1970, to the microsecond: a double has no more.
func seconds(t time.Time) Number { return Number(float64(t.UnixMicro()) / 1e6) }

func sleep(c site, args []Value) (Value, error) {
	s := num(args[0])
	if !(s >= 0) {
		return nil, errorString("sleep needs a number of seconds from 0 on")
	}
	d := time.Duration(math.MaxInt64)
	if s < d.Seconds() {
		d = time.Duration(s * float64(time.Second))
	}
	if err := c.m.sleep(d); err != nil {
		return nil, &stopped{pos: c.at, msg: "the script was stopped: " + err.Error(), err: err}
	}
	return args[0], nil
}

// strftime is in UTC, or with the option local in the machine's time zone.
func strftime(_ site, args []Value) (Value, error) {
	opts, err := flags(args, 2, "local")
	if err != nil {
		return nil, err
	}
	t := time.Now()
	if len(args) > 1 {
		s := num(args[1])
		// The years 0 to 9999.
		if !(s >= -62167219200 && s < 253402300800) {
			return nil, errorString("strftime needs a time in the years 0 to 9999")
		}
		sec := math.Floor(s)
		t = time.Unix(int64(sec), int64((s-sec)*1e9))
	}
	if opts["local"] {
		t = t.Local()
	} else {
		t = t.UTC()
	}
	s, err := formatTime(str(args[0]), t)
	return String(s), err
}

// layouts are the conversions of strftime(3) that Go's layouts can say.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01",
	'M': "04", 'p': "PM", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06",
	'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

func formatTime(format string, t time.Time) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", errorString("the format ends in %")
		}
		if layout, ok := layouts[format[i]]; ok {
			b.WriteString(t.Format(layout))
			continue
		}
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 's':
			fmt.Fprint(&b, t.Unix())
		case 'C':
			fmt.Fprintf(&b, "%02d", t.Year()/100)
		case 'u':
			fmt.Fprint(&b, (int(t.Weekday())+6)%7+1)
		case 'w':
			fmt.Fprint(&b, int(t.Weekday()))
		case 'G':
			year, _ := t.ISOWeek()
			fmt.Fprint(&b, year)
		case 'g':
			year, _ := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", year%100)
		case 'V':
			_, week := t.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case 'U':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-int(t.Weekday()))/7)
		case 'W':
			fmt.Fprintf(&b, "%02d", (t.YearDay()+6-(int(t.Weekday())+6)%7)/7)
		default:
			return "", errorString("the conversion %" + format[i:i+1] + " of strftime is not supported here")
		}
	}
	return b.String(), nil
}

// strpduration reads "1d2h3m4s", with blanks or not, and gives none for what is no duration.
func strpduration(_ site, args []Value) (Value, error) {
	units := map[byte]Number{'d': 86400, 'h': 3600, 'm': 60, 's': 1}
	total, digits := Number(0), ""
	s := strings.ReplaceAll(str(args[0]), " ", "")
	if s == "" {
		return None{}, nil
	}
	for i := range len(s) {
		if isDigit(s[i]) {
			digits += s[i : i+1]
			continue
		}
		unit, ok := units[s[i]]
		n, isNumber := parseNumber(digits)
		if !ok || !isNumber {
			return None{}, nil
		}
		total += n * unit
		digits = ""
	}
	if digits != "" {
		return None{}, nil
	}
	return total, nil
}
