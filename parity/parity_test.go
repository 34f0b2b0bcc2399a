package parity

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/halon-extras/kafka/parity/play"
)

//go:generate go test -count=1 -run TestParity|TestCertificates|TestDocument -update

var update = flag.Bool("update", false, "write differences.tsv, new rows with the reason ?, and docs/compatibility.md")

var only = flag.String("only", "", "run the scenarios that match this expression, and leave all other rows alone")

// processes is how many runners work at a time. They wait most of the time, so it is more than there are processors.
const processes = 12

// plugin is one of the two sides of every comparison.
type plugin struct {
	path  string
	count func(r *play.Result, log []play.Line, accepted int) (count, error)
}

// built is what the tests run; TestMain sets it once, before any test.
var built struct {
	ours, baseline plugin
	runner         string
	verdict        string // see parity/verdict
	missing        error  // why there is no baseline
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(all(m))
}

// all is TestMain with deferred ends, which os.Exit would skip.
func all(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parity-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(folder)
	if err := build(folder); err != nil {
		fmt.Fprintln(os.Stderr, "parity:", err)
		return 2
	}
	return m.Run()
}

// build finds or makes both plugins and the runner. That librdkafka can't be had is no error yet.
func build(folder string) error {
	find := func(variable, name string, command ...string) (string, error) {
		path := os.Getenv(variable)
		if path == "" {
			path = filepath.Join(folder, name)
			c := exec.Command(command[0], command[1:]...)
			c.Dir = ".."
			if out, err := c.CombinedOutput(); err != nil {
				return "", fmt.Errorf("%s can't be built: %w\n%s", name, err, out)
			}
		}
		path, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(path)
		}
		return path, err
	}
	var err error
	if built.runner, err = find("PARITY_RUNNER", "runner", "go", "build", "-o", filepath.Join(folder, "runner"), "./parity/runner"); err != nil {
		return err
	}
	built.ours.count, built.baseline.count = countDump, countLines
	if built.ours.path, err = find("KAFKA_SO", "kafka.so", "go", "build", "-buildmode=c-shared", "-o", filepath.Join(folder, "kafka.so"), "./cmd/kafka"); err != nil {
		return err
	}
	built.baseline.path, built.missing = find("BASELINE_SO", "baseline.so", "make", "BUILD="+folder, filepath.Join(folder, "baseline.so"))
	if built.missing == nil {
		built.verdict, built.missing = find("PARITY_VERDICT", "verdict", "make", "BUILD="+folder, filepath.Join(folder, "verdict"))
	}
	return nil
}

// requireBaseline skips the test where librdkafka can't be had, except where nobody would read that.
func requireBaseline(t *testing.T) {
	t.Helper()
	if built.missing == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOTHING WAS COMPARED WITH librdkafka: %v", built.missing)
	}
	fmt.Fprintf(os.Stderr, "parity: NOTHING IS COMPARED WITH librdkafka: %v\n", built.missing)
	t.Skip("no librdkafka")
}

// TestParity runs every scenario through both plugins and holds what differs against the table.
func TestParity(t *testing.T) {
	requireBaseline(t)
	wanted, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := readDifferences(table)
	if err != nil {
		t.Fatal(err)
	}
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !wanted.MatchString(s.name) })
	found := make([]chan []difference, len(chosen)) // closed without an element where a run failed
	for i := range found {
		found[i] = make(chan []difference, 1)
	}
	go compareAll(t, chosen, found)
	var right []difference
	known := make(map[string]bool)
	for i, s := range chosen {
		mine := slices.DeleteFunc(slices.Clone(rows), func(d difference) bool { return bare(d.scenario) != s.name })
		known[s.name] = true
		t.Run(s.name, func(t *testing.T) {
			differences, ok := <-found[i]
			if !ok {
				right = append(right, mine...)
				t.FailNow() // compareAll has said why
			}
			kept, wrong := compareRows(differences, mine)
			right = append(right, kept...)
			if *update {
				return
			}
			for _, sentence := range wrong {
				t.Error(sentence)
			}
		})
	}
	for _, d := range rows {
		switch {
		case known[bare(d.scenario)]:
		case *only != "":
			right = append(right, d)
		default:
			t.Errorf("%s has a row for %q, which is no scenario", table, d.scenario)
		}
	}
	if *update {
		if err := writeDifferences(table, right); err != nil {
			t.Fatal(err)
		}
	}
}

// bare is the name of a scenario without what the table adds to it.
func bare(cell string) string {
	return strings.TrimSuffix(strings.TrimSuffix(cell, onlyWith), onlyWithout)
}

// compareAll sends what differs in each scenario, or closes its channel after it has told t why there is nothing to send.
func compareAll(t *testing.T, chosen []scenario, found []chan []difference) {
	order := make([]int, len(chosen))
	for i := range order {
		order[i] = i
	}
	// Those that take a minute begin at once, or all others would be over before.
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(btoi(chosen[b].slow), btoi(chosen[a].slow))
	})
	places := make(chan struct{}, processes)
	for _, i := range order {
		s := &chosen[i]
		forms := []bool{false, true}
		if s.plain {
			forms = forms[:1]
		}
		each := make([][]difference, 2)
		errs := make([]error, 2)
		var both sync.WaitGroup
		for f, headers := range forms {
			places <- struct{}{}
			both.Go(func() {
				defer func() { <-places }()
				each[f], errs[f] = s.compare(headers)
			})
		}
		go func() {
			both.Wait()
			for f, err := range errs {
				if err != nil {
					t.Errorf("%s, headers %t: %v", s.name, forms[f], err)
					close(found[i])
					return
				}
			}
			if s.plain {
				each[1] = each[0]
			}
			found[i] <- merge(each[1], each[0])
		}()
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compare runs one form of s through both plugins, at the same time, so that both meet the same load of the machine.
func (s *scenario) compare(headers bool) ([]difference, error) {
	var runs [2]*run
	var errs [2]error
	var both sync.WaitGroup
	for i, p := range []plugin{built.baseline, built.ours} {
		both.Go(func() {
			if runs[i], errs[i] = s.run(p, headers); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", filepath.Base(p.path), errs[i])
			}
		})
	}
	both.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for _, r := range runs[1].Results {
		span, ok := s.within[r.Name]
		if took := time.Duration(r.Millis) * time.Millisecond; ok && (took < span.least || took > span.most) {
			return nil, fmt.Errorf("step %q took %v, which is not between %v and %v", r.Name, took, span.least, span.most)
		}
	}
	return compare(s.name, runs[0].shown, runs[1].shown), nil
}
