package packaging

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// testIdle loads the packaged plugin into the bench's host, which is plain C, with one queue in a broker's company, and lets it
// be. The limits are what a mail server may be asked to spend on a plugin that nobody uses.
func testIdle(t *testing.T, project, deb string) {
	const mostMemory, mostThreads = 20e6, 8
	build := t.TempDir()
	output(t, "make", "-s", "-C", project, "BUILD="+build, build+"/driver", build+"/blackhole")
	folder := t.TempDir()
	output(t, "dpkg-deb", "-x", deb, folder)

	broker := exec.CommandContext(t.Context(), filepath.Join(build, "blackhole"), "-partitions", "4", "-mode", "ack")
	stdin, err := broker.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := broker.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close() // ends it
		if err := broker.Wait(); err != nil {
			t.Errorf("blackhole: %v", err)
		}
	}()
	var at struct{ Broker, Control string }
	if err := json.NewDecoder(stdout).Decode(&at); err != nil {
		t.Fatal(err)
	}
	text := output(t, filepath.Join(build, "driver"), "--plugin", filepath.Join(folder, "opt/halon/plugins/kafka.so"),
		"--broker", at.Broker, "--control", at.Control, "--mode", "idle", "--seconds", "3")
	var seen struct {
		Memory  float64 `json:"rss_peak_bytes"`
		Threads int     `json:"process_threads"`
	}
	if err := json.Unmarshal([]byte(text), &seen); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if seen.Memory == 0 || seen.Memory > mostMemory || seen.Threads == 0 || seen.Threads > mostThreads {
		t.Errorf("an idle plugin takes %.1f MB and %d threads with its host, want at most %.0f MB and %d", seen.Memory/1e6, seen.Threads, mostMemory/1e6, mostThreads)
	}
}
