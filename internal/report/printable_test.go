package report

import (
	"testing"
	"time"
)

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

func TestSizesAndAgesAreShort(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1.0 KiB", 64 << 20: "64.0 MiB", 10 << 30: "10.0 GiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1400 * time.Millisecond: "1s", 200 * time.Second: "3m20s", 250 * time.Minute: "4h10m", 123 * time.Hour: "5d3h",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestLasted(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 9500 * time.Millisecond: "9.5 s", 90 * time.Second: "90 s", 10*time.Minute - time.Millisecond: "10 min",
		30 * time.Hour: "30 h", 72 * time.Hour: "3 days",
	} {
		if got := Lasted(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
