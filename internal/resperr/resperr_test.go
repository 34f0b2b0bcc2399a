package resperr

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestTable replays testdata/errors.tsv: every code with the name and text that librdkafka 2.15.0
// gives it, and nothing beside them.
func TestTable(t *testing.T) {
	data, err := os.ReadFile("testdata/errors.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")[1:]
	if len(lines) != 190 {
		t.Fatalf("testdata has %d codes, want 190", len(lines))
	}
	known := 0
	for _, line := range lines {
		f := strings.Split(line, "\t")
		n, err := strconv.ParseInt(f[0], 10, 32)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		name, text := strings.TrimPrefix(f[1], "RD_KAFKA_RESP_ERR_"), f[2]
		if len(f) > 3 && f[3] != "" {
			text = f[3]
		}
		if len(f) > 4 && f[4] != "" {
			name = f[4]
		}
		c := Code(n)
		if got := c.Error(); got != text {
			t.Errorf("Code(%d).Error() = %q, want %q", n, got, text)
		}
		if got := c.Name(); got != name {
			t.Errorf("Code(%d).Name() = %q, want %q", n, got, name)
		}
		if c.Known() {
			known++
		}
	}
	if got := len(All()); got != known {
		t.Errorf("All() has %d codes, the library %d", got, known)
	}
}

func TestSorted(t *testing.T) {
	all := All()
	for i := 1; i < len(all); i++ {
		if all[i-1] >= all[i] {
			t.Errorf("%d stands before %d: the search needs ascending numbers", all[i-1], all[i])
		}
	}
}

func TestUnknownNumbers(t *testing.T) {
	for _, c := range []Code{-201, -200, -136, -100, -99, -2, 98, 99, 101, 109, 134, 1 << 30} {
		if got, want := c.Error(), fmt.Sprintf("Err-%d?", c); got != want {
			t.Errorf("Code(%d).Error() = %q, want %q", c, got, want)
		}
		if got, want := c.Name(), fmt.Sprintf("ERR_%d?", c); got != want {
			t.Errorf("Code(%d).Name() = %q, want %q", c, got, want)
		}
		if c.Known() {
			t.Errorf("Code(%d) is known", c)
		}
	}
}

func TestLocal(t *testing.T) {
	for c, want := range map[Code]bool{QueueFull: true, PurgeInflight: true, Unknown: false, NoError: false, MsgSizeTooLarge: false} {
		if got := c.Local(); got != want {
			t.Errorf("%s.Local() = %v, want %v", c.Name(), got, want)
		}
	}
}

func TestFoundThroughWrapping(t *testing.T) {
	err := fmt.Errorf("queue %q: %w", "kafka1", QueueFull)
	var c Code
	if !errors.As(err, &c) || c != -184 {
		t.Errorf("errors.As(%v) found %d, want -184", err, c)
	}
	if !errors.Is(err, QueueFull) {
		t.Errorf("errors.Is(%v, QueueFull) is false", err)
	}
}
