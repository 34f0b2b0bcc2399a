package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// host is the machine that the figures hold for.
type host struct {
	CPU       string    `json:"cpu"`
	Cores     int       `json:"cores"`
	MemoryMiB float64   `json:"memory_mib"`
	Kernel    string    `json:"kernel"`
	Arch      string    `json:"arch"`
	Go        string    `json:"go"`
	Time      time.Time `json:"time"`
	Ours      string    `json:"ours"`
	Baseline  string    `json:"baseline"`
}

func machine(b bench) host {
	memory, _ := strconv.ParseFloat(strings.Fields(field("/proc/meminfo", "MemTotal") + " 0")[0], 64)
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return host{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), MemoryMiB: float64(int(memory / 1024)),
		Kernel: strings.TrimSpace(string(release)), Arch: runtime.GOARCH, Go: runtime.Version(),
		Time: time.Now().UTC().Truncate(time.Second), Ours: b.ours, Baseline: b.baseline,
	}
}

// field is the first value of a name in a file of "name : value" lines, or "".
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if n, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// cpuTime is the time that all processes have used, at an instant.
type cpuTime struct {
	at   time.Time
	busy float64 // seconds
}

// machineCPU reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a
// second on every Linux that Go runs on.
func machineCPU() cpuTime {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTime{}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	now := cpuTime{at: time.Now()}
	for i, f := range strings.Fields(first) {
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue // the name, idle, iowait, and guests, which are in user already
		}
		ticks, _ := strconv.ParseFloat(f, 64)
		now.busy += ticks / 100
	}
	return now
}
