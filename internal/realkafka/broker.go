package realkafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options is what a test may choose. The zero value is a broker with one PLAINTEXT listener.
type Options struct {
	// Listeners are added to PLAINTEXT.
	Listeners []Listener
	// Advertised replaces, by listener name, the HOST:PORT that clients connect to: the address
	// of a forwarder that a test put in front of the broker.
	Advertised map[string]string
	// Properties go into server.properties and win over what this package sets there.
	Properties map[string]string
	// Format is added to the arguments of the storage tool's format command, for example
	// "--add-scram", "SCRAM-SHA-256=[name=mail,password=secret]".
	Format []string
	// AutoCreateTopics lets a metadata request create the topic that it names.
	AutoCreateTopics bool
	// JVM is added to the Java options of the broker's process.
	JVM []string

	member member
}

// startWithin is enough for a machine that other work keeps busy: two cores under a load of thirty took twenty
// seconds. Alone, a start takes two to three.
const startWithin = 3 * time.Minute

// stopWithin is how long a broker may take for its orderly end before it is killed.
const stopWithin = 20 * time.Second

// Broker is one real broker: its folder and its ports for as long as it is not closed, and at most one
// process at a time.
type Broker struct {
	java  string
	jars  string
	root  string // holds server.properties, broker.log and the data; removed by Close
	ports map[string]int
	jvm   []string

	cluster string // the identity of the cluster

	mu      sync.Mutex
	process *process // guarded by mu; nil when stopped
}

// Start resolves the jars if they are missing, formats new storage and starts a broker; it returns once the
// broker answers. The caller owns the broker and must call [Broker.Close].
//
// It blocks for two to three seconds, the first time on a machine as long as Maven takes. An error that wraps
// [ErrUnavailable] is what this machine lacks; pass the error to [Require].
func Start(ctx context.Context, options Options) (*Broker, error) {
	java, err := findJava(ctx)
	if err != nil {
		return nil, err
	}
	project, err := projectRoot()
	if err != nil {
		return nil, err
	}
	jars := filepath.Join(project, "build", "kafka-jars")
	if err := resolveJars(ctx, filepath.Join(project, "e2e", "kafka", "pom.xml"), jars); err != nil {
		return nil, err
	}
	// The ports are free when they are looked for and not yet bound; another process may be quicker.
	const tries = 3
	for try := 1; ; try++ {
		b, err := open(ctx, java, jars, options)
		if err == nil || try == tries || !strings.Contains(err.Error(), "Address already in use") {
			return b, err
		}
	}
}

func open(ctx context.Context, java, jars string, options Options) (_ *Broker, err error) {
	b := &Broker{java: java, jars: jars, jvm: options.JVM}
	if b.root, err = os.MkdirTemp("", "realkafka-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	names := []string{Plaintext}
	if options.member.leader == nil {
		names = append(names, controller)
	}
	for _, l := range options.Listeners {
		names = append(names, l.Name)
	}
	if b.ports, err = freePorts(names); err != nil {
		return nil, err
	}
	text := properties(b.root, b.ports, options)
	if err := os.WriteFile(b.propertiesFile(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	b.cluster = newClusterID()
	if options.member.leader != nil {
		b.cluster = options.member.leader.cluster
	}
	if err := b.format(ctx, options.Format); err != nil {
		return nil, err
	}
	if err := b.Start(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// Addr is the HOST:PORT of the PLAINTEXT listener. It stays the same until Close.
func (b *Broker) Addr() string { return b.Address(Plaintext) }

// Address is the HOST:PORT of the named listener, and "" for a name that the broker does not have.
func (b *Broker) Address(listener string) string {
	port, ok := b.ports[listener]
	if !ok {
		return ""
	}
	return loopback(port)
}

// Start runs the broker's process again, on the same ports and data, and returns once it answers. It is an
// error while the process runs.
func (b *Broker) Start(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process != nil {
		return fmt.Errorf("the broker at %s runs already, process %d", b.Addr(), b.process.child.Pid)
	}
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own descriptor
	arguments := append([]string{"-Xmx512m", "-Xms64m"}, b.jvmOptions()...)
	arguments = append(arguments, b.jvm...)
	command := exec.Command(b.java, append(arguments, "kafka.Kafka", b.propertiesFile())...)
	command.Dir, command.Stdout, command.Stderr = b.root, log, log
	child, err := spawn(command)
	if err != nil {
		return err
	}
	b.process = child
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := waitReady(ctx, b.Addr(), child.done); err != nil {
		end := b.endLocked(syscall.SIGKILL)
		return errors.Join(fmt.Errorf("Apache Kafka did not start: %w (%s)\n%s", err, child.state, b.Log()), end) //nolint:staticcheck // a name
	}
	return nil
}

// Stop ends the broker in order, as an operator would, and by force when that takes longer than 20 s. Data and
// ports stay for [Broker.Start]. A broker that does not run is left as it is.
func (b *Broker) Stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.endLocked(syscall.SIGTERM)
}

// Kill ends the broker as a power cut would: nothing is flushed and no connection is closed in order.
func (b *Broker) Kill() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.endLocked(syscall.SIGKILL)
}

// endLocked sends the signal and returns when the process is gone.
func (b *Broker) endLocked(sig syscall.Signal) error {
	if b.process == nil {
		return nil
	}
	child := b.process
	if err := child.signal(sig); err != nil {
		return err
	}
	// A paused process takes SIGTERM only when it goes on.
	if err := child.signal(syscall.SIGCONT); err != nil {
		return err
	}
	patience := time.NewTimer(stopWithin)
	defer patience.Stop()
	select {
	case <-child.done:
	case <-patience.C:
		if err := child.signal(syscall.SIGKILL); err != nil {
			return err
		}
		<-child.done
	}
	b.process = nil
	return nil
}

// Pause makes the broker hang: the kernel still takes connections and bytes for it, and nothing is answered,
// until [Broker.Resume]. It returns when the last thread has stopped, within milliseconds.
func (b *Broker) Pause() error {
	if err := b.tell(syscall.SIGSTOP); err != nil {
		return err
	}
	// The signal is taken by whichever thread runs next. On a busy machine the others answered requests for
	// another fifty milliseconds, long enough to acknowledge what the test meant to be lost.
	const between = time.Millisecond
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	deadline := time.NewTimer(stopWithin)
	defer deadline.Stop()
	for {
		running, err := b.running()
		if err != nil || running == 0 {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("the broker at %s was paused, and %d of its threads still run", b.Addr(), running)
		}
	}
}

func (b *Broker) running() (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process == nil {
		return 0, fmt.Errorf("the broker at %s was stopped while it was paused", b.Addr())
	}
	return runningThreads(b.process.child.Pid)
}

// Resume lets a paused broker go on with whatever reached it in the meantime.
func (b *Broker) Resume() error { return b.tell(syscall.SIGCONT) }

func (b *Broker) tell(sig syscall.Signal) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.process == nil {
		return fmt.Errorf("signal %v: the broker at %s does not run", sig, b.Addr())
	}
	return b.process.signal(sig)
}

// Restart is [Broker.Stop] and [Broker.Start].
func (b *Broker) Restart(ctx context.Context) error {
	if err := b.Stop(); err != nil {
		return err
	}
	return b.Start(ctx)
}

// Close kills the broker and removes its folder. It may be called more than once.
func (b *Broker) Close() error {
	return errors.Join(b.Kill(), os.RemoveAll(b.root))
}

// Log returns the last lines that the broker wrote, for the message of a test that failed.
func (b *Broker) Log() string {
	const keep = 8 << 10
	text, err := os.ReadFile(b.logFile())
	if err != nil {
		return err.Error()
	}
	if len(text) > keep {
		text = text[len(text)-keep:]
	}
	return string(text)
}

// format writes the identity of a new cluster into the empty data folder, which KRaft asks for before the
// first start.
func (b *Broker) format(ctx context.Context, more []string) error {
	arguments := append(b.jvmOptions(), "kafka.tools.StorageTool", "format",
		"--cluster-id", b.cluster, "--config", b.propertiesFile())
	command := exec.CommandContext(ctx, b.java, append(arguments, more...)...)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("format the storage of Apache Kafka in %s: %w\n%s", b.root, err, out)
	}
	return nil
}

func newClusterID() string {
	id := make([]byte, 16)
	rand.Read(id)
	return clusterID(id)
}

// clusterID writes 16 bytes as Kafka writes a UUID. Its tools take an identity that begins with a dash for
// the name of an option.
func clusterID(id []byte) string {
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id)
}

// jvmOptions make a Java process start fast rather than run fast: one compiler, the simple collector, and no
// files outside the broker's folder.
func (b *Broker) jvmOptions() []string {
	return []string{
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData",
		"-Djava.awt.headless=true",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-cp", filepath.Join(b.jars, "*"),
	}
}

func (b *Broker) propertiesFile() string { return filepath.Join(b.root, "server.properties") }
func (b *Broker) logFile() string        { return filepath.Join(b.root, "broker.log") }
