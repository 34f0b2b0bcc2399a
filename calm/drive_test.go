package calm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// runLimit ends a driver that hangs.
const runLimit = 2 * time.Minute

// proof is where the programs are and what is wanted of them.
type proof struct {
	build   string
	seconds float64
	limit   time.Duration
}

// seen is what the driver prints, of all its modes.
type seen struct {
	Calls     int64 `json:"calls"`
	LongestNS int64 `json:"longest_ns"`
	WorkedNS  int64 `json:"worked_ns"`
	BlockedNS int64 `json:"blocked_ns"`

	LongestCalls  int64 `json:"longest_calls"`
	WorkedCalls   int64 `json:"worked_calls"`
	BlockedCalls  int64 `json:"blocked_calls"`
	RunDelayKnown bool  `json:"run_delay_known"`

	Answers   map[string]int64 `json:"answers"`
	Thrown    int64            `json:"thrown"`
	CleanupMS float64          `json:"cleanup_ms"`
	ReloadMS  float64          `json:"reload_ms"`
	Records   int64            `json:"records"` // that the broker has

	Filled    int64   `json:"filled"`
	Parked    int64   `json:"parked"`
	WokenOnce int64   `json:"woken_once"`
	Admitted  int64   `json:"admitted"`
	WokenMS   float64 `json:"woken_ms"`
	RSSBefore float64 `json:"rss_before"`
	RSSParked float64 `json:"rss_parked"`

	Accepted  int64   `json:"accepted"`
	Refused   int64   `json:"refused"`
	RSS       float64 `json:"rss_bytes"`
	RSSPeak   float64 `json:"rss_peak_bytes"`
	Cores     float64 `json:"cpu_cores"`
	FirstMS   float64 `json:"first_ms"`
	DrainedMS float64 `json:"drained_ms"`

	log []string // lines of the plugin, and of the programs around it
}

func newProof(t *testing.T) proof {
	t.Helper()
	p := proof{build: os.Getenv("CALM_BUILD"), seconds: 2, limit: time.Millisecond}
	if p.build == "" {
		t.Skip("make calm runs this: it needs the driver and kafka.so")
	}
	if text := os.Getenv("CALM_SECONDS"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || n <= 0 {
			t.Fatalf("CALM_SECONDS=%s: want a number above 0", text)
		}
		p.seconds = n
	}
	if text := os.Getenv("CALM_LIMIT_US"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			t.Fatalf("CALM_LIMIT_US=%s: want a whole number above 0", text)
		}
		p.limit = time.Duration(n) * time.Microsecond
	}
	return p
}

// program is the absolute path of one.
func (p proof) program(name string) string { return filepath.Join(p.build, name) }

// plugin names the library that the driver loads; kafka.so where nothing else is said.
func (p proof) plugin(name string) []string {
	return []string{p.program("driver"), "--plugin", p.program(name)}
}

// run runs a command to its end and reads the JSON object that it prints.
func (p proof) run(t *testing.T, env []string, command ...string) seen {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdout, c.Stderr = &stdout, &stderr
	c.Env = append(os.Environ(), env...)
	if err := c.Run(); err != nil {
		if c.ProcessState != nil && c.ProcessState.ExitCode() == noNamespaces {
			t.Skip(strings.TrimSpace(stderr.String()))
		}
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, stderr.String())
	}
	var s seen
	if err := json.Unmarshal(stdout.Bytes(), &s); err != nil {
		t.Fatalf("%s printed %q: %v", strings.Join(command, " "), stdout.String(), err)
	}
	s.log = strings.Split(strings.TrimRight(stderr.String(), "\n"), "\n")
	return s
}

// drive runs kafka.so in the driver, in one of its modes.
func (p proof) drive(t *testing.T, args ...string) seen {
	t.Helper()
	return p.run(t, nil, append(p.plugin("kafka.so"), args...)...)
}

// logged is how many lines have the text.
func (s seen) logged(text string) int {
	n := 0
	for _, line := range s.log {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// blackhole starts the broker of the bench and returns the driver's arguments for it.
func (p proof) blackhole(t *testing.T, mode string) []string {
	t.Helper()
	c := exec.Command(p.program("blackhole"), "-partitions", "4", "-mode", mode)
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close() // ends it
		if err := c.Wait(); err != nil {
			t.Errorf("blackhole: %v", err)
		}
	})
	var at struct{ Broker, Control string }
	if err := json.NewDecoder(bufio.NewReader(stdout)).Decode(&at); err != nil {
		t.Fatalf("blackhole: %v", err)
	}
	return []string{"--broker", at.Broker, "--control", at.Control}
}

// silent is a broker that takes connections and every byte, and says nothing.
func silent(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return []string{"--broker", l.Addr().String()}
}

// nobody is an address that was free a moment ago.
func nobody(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return []string{"--broker", l.Addr().String()}
}

// number is an argument of the driver.
func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func ms(ns int64) string { return fmt.Sprintf("%.2f", float64(ns)/1e6) }

func mib(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) }
