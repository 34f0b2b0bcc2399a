package main

import (
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{5, 1, 3}, spread{3, 1, 5}},
		{[]float64{4, 1, 2, 8}, spread{3, 1, 8}},
	} {
		if got := *spreadOf(c.values); got != c.want {
			t.Errorf("%v: got %v, want %v", c.values, got, c.want)
		}
	}
}

func TestARatioIsTakenWithinAPairAndWithoutTheDriver(t *testing.T) {
	cost := func(us float64) run { return run{result: result{CPU: us}} }
	f := figure{suffix: ".cpu", of: func(r run) float64 { return r.CPU }, own: func(r result) float64 { return r.CPU }}
	got := f.row("c", []run{cost(2), cost(3), cost(9)}, []run{cost(3), cost(5), cost(5)}, []result{{CPU: 1}, {CPU: 9}, {CPU: 0.5}}, 0)
	// Pairs without the driver's 1: 1/2, 2/4, 8/4.
	if want := (spread{0.5, 0.5, 2}); *got.Ratio != want {
		t.Errorf("ratio %v, want %v", *got.Ratio, want)
	}
	if want := (spread{2, 1, 8}); *got.Ours != want {
		t.Errorf("ours %v, want %v", *got.Ours, want)
	}
}

func TestOneSideAloneHasNoRatio(t *testing.T) {
	f := figure{of: func(r run) float64 { return r.PerSecond }, limit: true}
	runs := []run{{result: result{PerSecond: 4}, others: 0.5}}
	if r := f.row("c", runs, nil, nil, 0); r.Ours == nil || r.Baseline != nil || r.Ratio != nil || r.Others != 0.5 {
		t.Errorf("ours alone: %+v", r)
	}
	if r := f.row("c", nil, runs, nil, 8); r.Ours != nil || r.Baseline == nil || r.Ratio != nil || r.WireShare != nil {
		t.Errorf("the baseline alone: %+v", r)
	}
}

func TestAFigureThatIsNothingHasNoRatio(t *testing.T) {
	f := figure{of: func(r run) float64 { return r.Cores }}
	r := f.row("c", []run{{}}, []run{{}}, nil, 0)
	if r.Ratio != nil {
		t.Errorf("ratio %v", *r.Ratio)
	}
	if text := r.Ratio.text(); text != "-" {
		t.Errorf("printed %q", text)
	}
}

func TestCellsAreChosenByNameAndOnce(t *testing.T) {
	chosen, err := choose("steady-2k,sat.cpu, sat.msgs")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range chosen {
		names = append(names, c.name)
	}
	if got := strings.Join(names, " "); got != "steady-2k sat" {
		t.Errorf("chose %q", got)
	}
	if _, err := choose("sat,unknown"); err == nil || !strings.Contains(err.Error(), `"unknown"`) {
		t.Errorf("an unknown cell gave %v", err)
	}
}

func TestEveryGoalBelongsToAFigure(t *testing.T) {
	known := map[string]bool{}
	for _, c := range cells {
		for _, f := range c.figures {
			known[c.name+f.suffix] = true
		}
	}
	for name := range floors {
		if !known[name] {
			t.Errorf("the floor of %s is for no figure", name)
		}
	}
	for name := range goals {
		if !known[name] {
			t.Errorf("the goal of %s is for no figure", name)
		}
	}
}

func TestGoalsAreLimitsInTheirDirection(t *testing.T) {
	for _, c := range []struct {
		name  string
		ratio float64
		met   bool
	}{
		{"sat.msgs", 3.5, true},
		{"sat.msgs", 3.49, false},
		{"sat.cpu", 0.3, true},
		{"sat.cpu", 0.31, false},
		{"zstd.p50", 0.5, false},
		{"steady-2k.p999", 0.8, true},
	} {
		g, ok := goalOf(c.name)
		if !ok || g.met(c.ratio) != c.met {
			t.Errorf("%s at %v: goal %v %v, want met %v", c.name, c.ratio, g, ok, c.met)
		}
	}
	if _, ok := goalOf("load.rss"); ok {
		t.Error("load.rss has a goal that nobody set")
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0.0421: "0.042", 1.057: "1.06", 17: "17", 305.4: "305", 30500: "30500", 612345: "612k", 21499000: "21.50M",
	} {
		if got := number(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

// The plugin that does nothing stands in for both sides: the driver, its host and the accounts around it are what is tested.
func TestTheDriverRunsAPluginAndCountsItsCalls(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join("..", "..")
	build := func(out string, args ...string) {
		t.Helper()
		args = append([]string{"-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-I" + filepath.Join(root, "include"), "-o", filepath.Join(dir, out)}, args...)
		if text, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
			t.Fatalf("cc %s: %v\n%s", strings.Join(args, " "), err, text)
		}
	}
	sources, err := filepath.Glob(filepath.Join(root, "bench", "driver", "*.c"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of the driver: %v", err)
	}
	build("driver", append(sources, "-pthread", "-rdynamic", "-ldl")...)
	build("noop.so", "-fPIC", "-shared", "-fvisibility=hidden", filepath.Join(root, "bench", "noop", "noop.c"))

	build("strict.so", "-fPIC", "-shared", "-fvisibility=hidden", filepath.Join("testdata", "strict.c"))

	b := bench{build: dir}
	for args, queues := range map[string]int{"--threads 2": 1, "--queues 3 --topics 2 --threads 2": 3, "--queues 50": 50} {
		r, _, err := b.start("driver", append([]string{"--plugin", filepath.Join(dir, "strict.so"), "--messages", "9000"}, strings.Fields(args)...))
		if err != nil || r.Accepted != 9000 {
			t.Errorf("%d queues: accepted %d of 9000: %v", queues, r.Accepted, err)
		}
	}
	for _, args := range []string{
		"--messages 1003 --threads 8 --headers 2",
		"--messages 1003 --topics 3 --value-bytes 0 --key-bytes 0",
		"--messages 1003 --topics 2 --queues 3 --threads 2",
		"--messages 1003 --rate 20000 --threads 2 --block",
		"--mode durable --messages 1003 --threads 4 --waiting 64",
	} {
		r, err := b.driveAlone(args)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if r.Accepted != 1003 || r.Refused != 0 {
			t.Errorf("%s: accepted %d, refused %d, want 1003 and 0", args, r.Accepted, r.Refused)
		}
		if !(r.Latency.P50 <= r.Latency.P99 && r.Latency.P99 <= r.Latency.P999*1.01 && r.Latency.P999 <= r.Latency.Max*1.02) {
			t.Errorf("%s: latencies are not in order: %+v", args, r.Latency)
		}
		if math.Abs(r.PerSecond*r.Seconds-1003) > 1 {
			t.Errorf("%s: %v messages/s in %v s are not 1003", args, r.PerSecond, r.Seconds)
		}
	}
	if r, err := b.log("--mode logger --threads 4 --value-bytes 100 --seconds 0.05"); err != nil || r.Accepted < 4 {
		t.Errorf("the logger wrote %d lines: %v", r.Accepted, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "bench-*")); err != nil || len(left) > 0 {
		t.Errorf("the logger left %v: %v", left, err)
	}
	if _, err := b.driveAlone("--messages 1 --mode asleep"); err == nil || !strings.Contains(err.Error(), "--mode asleep") {
		t.Errorf("a mode that is not there gave %v", err)
	}
}
