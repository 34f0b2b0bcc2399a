package intake

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A quiet call runs C in a frame of 32 KiB of a goroutine's stack. What it calls there must not need more than a quarter of that, were each
// function called by each other one: the rest is for the C library, and for the allocator that a host may have in its place.
func TestQuietCallsNeedLittleStack(t *testing.T) {
	compiler, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sum, seen := 0, 0
	for _, name := range []string{"pack.c", "buffers.c", "choose.c", "chunks.c", "crc.c"} {
		su := filepath.Join(dir, name+".su")
		cc := exec.Command(strings.TrimSpace(string(compiler)), "-std=gnu11", "-O2", "-c", "-fstack-usage", "-o", strings.TrimSuffix(su, ".su")+".o", name)
		if said, err := cc.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		text, err := os.ReadFile(su)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) { // pack.c:9:5:name<tab>bytes<tab>static, or "dynamic,bounded", or "dynamic"
			fields := strings.Fields(line)
			if len(fields) != 3 || fields[2] == "dynamic" {
				t.Fatalf("the stack of %s has no bound", line)
			}
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			sum += n
			seen++
		}
	}
	if sum > 8<<10 || seen < 20 {
		t.Errorf("%d functions need %d bytes of stack", seen, sum)
	}
}

// Goroutines whose stacks are as small as possible, and moved by the calls, while the collector looks for stacks to read and the profiler
// interrupts whoever runs.
func TestQuietCallsBesideTheCollectorAndTheProfiler(t *testing.T) {
	in := open(t, t.Name(), 1000, 1<<20)
	for range 100 {
		if got := answer(call(t.Name(), "0123456789")); got != Taken {
			t.Fatal(got)
		}
	}
	c := in.Take(nil)[0]
	defer in.Free(c)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	done := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	var all sync.WaitGroup
	for range 2000 {
		all.Go(func() {
			for range 20 {
				if s, complete := c.Sum(); !complete || s.Values != 1000 {
					t.Errorf("%+v, %v", s, complete)
				}
			}
		})
	}
	all.Wait()
	close(done)
	collector.Wait()
}
