package top

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/halon-extras/kafka/internal/report"
)

var update = flag.Bool("update", false, "write testdata/screen")

// A stage is a view on a screen in memory, in virtual time, with a plugin that says what the test wants.
type stage struct {
	t      *testing.T
	screen *paper
	mu     sync.Mutex // of what plugin reads
	plugin func(detail string) (*Sample, error)
	asked  []string // the detail of each question
	ended  chan error
	end    context.CancelFunc
}

func (s *stage) Name() string { return "halonctl plugin command kafka" }

func (s *stage) Read(_ context.Context, detail string) (*Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, detail)
	sample, err := s.plugin(detail)
	if sample != nil {
		sample.Time, sample.Detail = time.Now(), detail
	}
	return sample, err
}

// play runs a view of 80 x 24 until the test is over.
func play(t *testing.T, plugin func(detail string) (*Sample, error), test func(s *stage)) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, screen: &paper{SimulationScreen: tcell.NewSimulationScreen("")}, plugin: plugin, ended: make(chan error, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.end = cancel
		go func() { s.ended <- Run(ctx, s.screen, Options{Source: s, Every: 2 * time.Second}) }()
		synctest.Wait()
		test(s)
		s.screen.InjectKey(tcell.KeyRune, 'q', tcell.ModNone)
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}

// paper is a simulated screen of 80 x 24, its own size is 80 x 25, and has a copy of what it shows.
type paper struct {
	tcell.SimulationScreen
	mu    sync.Mutex
	shown string
}

func (p *paper) Init() error {
	err := p.SimulationScreen.Init()
	p.SetSize(80, 24)
	return err
}

func (p *paper) Show() {
	p.SimulationScreen.Show()
	cells, width, height := p.GetContents()
	var b strings.Builder
	for y := range height {
		var l strings.Builder
		for x := range width {
			l.WriteString(string(cells[y*width+x].Bytes))
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = b.String()
}

// questions is how often the plugin was asked.
func (s *stage) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// change changes what the plugin says.
func (s *stage) change(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}

// pass lets time go by.
func (s *stage) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// press presses keys: letters, and names in angle brackets.
func (s *stage) press(keys ...string) {
	named := map[string]tcell.Key{
		"<left>": tcell.KeyLeft, "<right>": tcell.KeyRight, "<up>": tcell.KeyUp, "<down>": tcell.KeyDown, "<enter>": tcell.KeyEnter, "<esc>": tcell.KeyEscape,
		"<end>": tcell.KeyEnd, "<home>": tcell.KeyHome, "<pgdn>": tcell.KeyPgDn, "<pgup>": tcell.KeyPgUp, "<ctrl-c>": tcell.KeyCtrlC,
	}
	for _, key := range keys {
		if k, ok := named[key]; ok {
			s.screen.InjectKey(k, 0, tcell.ModNone)
		} else {
			s.screen.InjectKey(tcell.KeyRune, []rune(key)[0], tcell.ModNone)
		}
		synctest.Wait()
	}
}

// text is what the screen shows, without blanks at the end of lines.
func (s *stage) text() string {
	s.screen.mu.Lock()
	defer s.screen.mu.Unlock()
	return s.screen.shown
}

// shows compares the screen with testdata/screen/NAME.txt.
func (s *stage) shows(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", "screen", name+".txt")
	got := s.text()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		s.t.Errorf("%s differs (go test ./internal/top -update writes it):\n%s", file, diff)
	}
}

// has fails when the screen does not show a text.
func (s *stage) has(text string) {
	s.t.Helper()
	if got := s.text(); !strings.Contains(strings.Join(strings.Fields(got), " "), text) {
		s.t.Errorf("the screen does not show %q:\n%s", text, got)
	}
}

// start is when synctest's clocks begin.
var start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// threeQueues are one that is fine, one whose broker is away, and one that is full.
func threeQueues() []Queue {
	return []Queue{
		{
			ID: "kafka1", State: "ok", Since: start.Add(-26 * time.Hour), Storage: "memory", In: 8_000_000, Delivered: 7_999_990, Queued: 10, InFlight: 10,
			OldestAge: 0.01, InRate: 1234.5, OutRate: 1230.1, LimitMessages: 100_000, Bytes: 5000, LimitBytes: 1 << 30,
		},
		{
			ID: "audit", State: "degraded", Reason: "kafka:9092: cannot connect: the connection is refused: nothing listens there, or a firewall rejects it",
			Since: start.Add(-34 * time.Second), Problems: []report.StatusProblem{
				{Kind: "disconnected", Text: "kafka:9092: cannot connect: the connection is refused: nothing listens there, or a firewall rejects it", Since: start.Add(-34 * time.Second)},
				{Kind: "stalled", Text: "topic mail makes no progress", Since: start.Add(-31 * time.Second)},
			},
			Storage: "durable", In: 9204, Delivered: 7990, Dead: 3, Expired: 7, OnDisk: 1204, OldestAge: 34, InRate: 35.4, LimitMessages: 100_000, LimitBytes: 1 << 30,
			SpoolBytes: 58 << 10, SpoolLimit: 10 << 30, DeadPending: 3,
			LastError: &report.LastError{Time: start.Add(-3 * time.Hour), Text: "Broker: Message size too large", Topic: "mail", Code: 10},
		},
		{
			ID: "events", State: "failed", Reason: "the queue is full: 100,000 of 100,000 messages, calls are answered with -184", Since: start.Add(-5 * time.Minute),
			Problems: []report.StatusProblem{{Kind: "full", Text: "the queue is full: 100,000 of 100,000 messages, calls are answered with -184", Since: start.Add(-5 * time.Minute)}},
			Storage:  "memory", In: 2_100_000, Delivered: 2_000_000, Queued: 100_000, InFlight: 4000, OldestAge: 250, OutRate: 210.4, Refused: 48_211, LimitMessages: 100_000,
			Bytes: 40 << 20, LimitBytes: 1 << 30, Parked: 2,
		},
	}
}

func twoBrokers() *report.Statistics {
	return &report.Statistics{
		Brokers: map[string]report.BrokerStatistics{
			"kafka-1.example.net:9092/1": {State: "UP", StateAge: 93_600_000_000, RTT: report.Average{Avg: 1530}, WaitrespCnt: 2, Tx: 812_344, TopparCnt: 4},
			"kafka-2.example.net:9092/2": {State: "CONNECT", StateAge: 34_000_000, Tx: 790_001, TxRetries: 12, ReqTimeouts: 3, Disconnects: 1, TopparCnt: 2, LastError: "cannot connect: the connection is refused: nothing listens there, or a firewall rejects it"},
		},
		Topics: map[string]report.TopicStatistics{
			"events": {PartitionCnt: 2, XmitMsgqCnt: 10, Partitions: map[string]report.PartitionStatistics{
				"0": {Partition: 0, Leader: 1, State: "open", MsgsInflight: 6, TxMsgs: 700_000}, "1": {Partition: 1, Leader: 1, State: "open", MsgsInflight: 4, TxMsgs: 699_990},
			}},
			"mail": {PartitionCnt: 2, MsgqCnt: 1204, Stalled: true, Partitions: map[string]report.PartitionStatistics{
				"0": {Partition: 0, Leader: 1, State: "draining", MsgqCnt: 604, TxMsgs: 4000}, "1": {Partition: 1, Leader: -1, State: "leaderless", MsgqCnt: 600, TxMsgs: 3990},
			}},
		},
	}
}

// healthy is a plugin that says the same again and again.
func healthy(detail string) (*Sample, error) {
	s := &Sample{Started: start.Add(-77 * time.Hour), Version: "2.0.0", Queues: threeQueues()}
	if detail != "" {
		s.Stats = twoBrokers()
	}
	return s, nil
}

var errAway = errors.New("halonctl plugin command kafka status failed (exit status 2): halonctl: dial unix /run/halon/smtpd.sock: connect: no such file or directory")
