package report

import "testing"

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"mail \u00e9\u4e2d\U0001f600":    "mail \u00e9\u4e2d\U0001f600",
		"a\nb\r\nc\td\x00":               `a\x0ab\x0d\x0ac\x09d\x00`,
		"\x1b[31mred\x7f":                `\x1b[31mred\x7f`,
		"CSI \u009b2J":                   `CSI \xc2\x9b2J`,
		"no UTF-8 \xff\xc3":              `no UTF-8 \xff\xc3`,
		"lines\u2028and\u2029more\u0085": `lines\xe2\x80\xa8and\xe2\x80\xa9more\xc2\x85`,
		"\u202egpj.exe":                  `\xe2\x80\xaegpj.exe`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
