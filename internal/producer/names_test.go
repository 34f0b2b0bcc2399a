package producer

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/intake"
	"github.com/halon-extras/kafka/internal/resperr"
)

// A queue whose name the intake cannot keep works, says once that its calls go through Go, and loses nothing. The names are those of the
// process, so it is one of its own.
func TestAQueueBeyondTheNamesOfTheIntakeWorks(t *testing.T) {
	if os.Getenv("KAFKA_TEST_NAMES") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "KAFKA_TEST_NAMES=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	for i := range 512 {
		in, err := intake.New(fmt.Sprint("other", i), 1000000, int(resperr.QueueFull), int(resperr.Destroy))
		if err != nil {
			t.Fatal(err)
		}
		if !in.Publish() {
			t.Fatalf("name %d is not kept", i)
		}
		in.Close()
	}
	c := newCluster(t, kfake.SeedTopics(1, "mail"))
	log := &logged{}
	p := c.withIntake(log, "linger.ms=0")
	if answer := leave(p, "v"); answer != intake.Ask {
		t.Errorf("the intake answers %v", answer)
	}
	if code := p.Offer(value("v")); code != resperr.NoError {
		t.Fatal(code)
	}
	if got := c.records("mail", 1); string(got[0].Value) != "v" {
		t.Errorf("%q", got[0].Value)
	}
	if n := strings.Count(log.String(), "more than 512 names of queues"); n != 1 {
		t.Errorf("it is logged %d times:\n%s", n, log)
	}
}
