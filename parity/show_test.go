package parity

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/crc32"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/halon-extras/kafka/parity/play"
)

// shown is what one step showed, in the words of the table of differences.
type shown struct{ step, text string }

// Names of what is looked at beside the steps of a plan.
const (
	atStart   = "start"
	theLog    = "warnings"
	theWire   = "requests"
	theTopics = "records"
	theHeads  = "headers"
	theOutage = "log"
)

// show puts the steps of an outcome into words that do not depend on which plugin it was.
func (s *scenario) show(p plugin, o *play.Outcome) ([]shown, error) {
	var all []shown
	if len(o.Faults) > 0 {
		return nil, fmt.Errorf("against the rules of the host: %q", o.Faults)
	}
	begin := "starts"
	if !o.Started {
		begin = "refuses"
		for _, line := range o.Log {
			if line.Priority <= 2 {
				begin += ": " + strconv.Quote(openssl.ReplaceAllString(strings.TrimPrefix(line.Text, "kafka: "), "$1…"))
			}
		}
	}
	all = append(all, shown{atStart, begin})
	if s.warnings {
		all = append(all, shown{theLog, warnings(o.Log)})
	}
	if s.away {
		all = append(all, shown{theOutage, outage(o.Log)})
	}
	var before count
	accepted := 0
	lines := 0
	for _, r := range o.Results {
		var text string
		switch {
		case r.Answers != nil:
			for _, a := range r.Answers {
				if a == (play.Answer{}) {
					accepted++
				}
			}
			text = answers(r.Answers)
		case r.Dump != "":
			now, err := p.count(&r, o.Log[:r.Lines], accepted)
			if err == nil {
				err = now.logged(o.Log)
			}
			if err != nil {
				return nil, fmt.Errorf("step %q: %w", r.Name, err)
			}
			text = now.since(before)
			before = now
		case r.Output != "":
			output := r.Output
			if !r.OK {
				// What exists, and what was perhaps meant, is ours to say behind the original's words.
				output, _, _ = strings.Cut(output, "\n")
			}
			text = fmt.Sprintf("%q, success %t", output, r.OK)
		default:
			text = stopped(o.Log[lines:r.Lines])
		}
		all = append(all, shown{r.Name, text})
		lines = r.Lines
	}
	return all, nil
}

// answers is a sequence of answers as HSL prints them, with the length of each run of equal ones.
func answers(list []play.Answer) string {
	var parts []string
	for i := 0; i < len(list); {
		n := i
		for n < len(list) && list[n] == list[i] {
			n++
		}
		text := "[]"
		if a := list[i]; a.Exception != "" {
			text = "exception " + a.Exception
		} else if a.Errno != 0 {
			text = fmt.Sprintf("%d %s", a.Errno, a.Errstr)
		}
		if len(list) > 1 {
			text = fmt.Sprintf("%d × %s", n-i, text)
		}
		parts = append(parts, text)
		i = n
	}
	return strings.Join(parts, ", then ")
}

// count is what is known of the accepted messages at one moment.
type count struct {
	delivered int
	queued    int
	failed    map[string]int // by the text of the code
}

// since puts into words what was reported after before.
func (c count) since(before count) string {
	var parts []string
	if n := c.delivered - before.delivered; n != 0 {
		parts = append(parts, fmt.Sprintf("%d delivered", n))
	}
	for _, text := range slices.Sorted(maps.Keys(c.failed)) {
		if n := c.failed[text] - before.failed[text]; n != 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", n, text))
		}
	}
	if c.queued != 0 {
		parts = append(parts, fmt.Sprintf("%d queued", c.queued))
	}
	if parts == nil {
		return "no report"
	}
	return strings.Join(parts, ", ")
}

const failedLine = "kafka: message delivery failed: "

// countLines counts what librdkafka's plugin logs: a line for each message that was not delivered.
func countLines(r *play.Result, log []play.Line, accepted int) (count, error) {
	c := count{failed: make(map[string]int)}
	lost := 0
	for _, line := range log {
		if text, ok := strings.CutPrefix(line.Text, failedLine); ok {
			c.failed[text]++
			lost++
		}
	}
	_, err := fmt.Sscanf(lineWith(r.Dump, "producer.msg_cnt "), "producer.msg_cnt %d", &c.queued)
	c.delivered = accepted - lost - c.queued
	return c, err
}

var failedCount = regexp.MustCompile(`(?m)^  (?:failed|dropped|expired|dead) (\d+): (.*) \(-?\d+\)$`)

// logged says whether the log has a line for each reason that was counted, with the same words.
func (c count) logged(log []play.Line) error {
	for text, n := range c.failed {
		if !slices.ContainsFunc(log, func(l play.Line) bool {
			return l.Text == failedLine+text || strings.HasPrefix(l.Text, failedLine+text+" (")
		}) {
			return fmt.Errorf("%d messages failed with %q, and no line of the log says so", n, text)
		}
	}
	return nil
}

// countDump takes the counts of kafka.so from its dump, because its log sums up what repeats.
func countDump(r *play.Result, _ []play.Line, accepted int) (count, error) {
	c := count{failed: make(map[string]int)}
	var in, lost int
	if _, err := fmt.Sscanf(lineWith(r.Dump, "in "), "in %d", &in); err != nil {
		return c, fmt.Errorf("%w in the dump %q", err, r.Dump)
	}
	if in != accepted {
		return c, fmt.Errorf("%d calls were accepted, and the dump says %q", accepted, r.Dump)
	}
	rest := lineWith(r.Dump, "= delivered ")
	var dropped, expired, dead, onDisk int
	if _, err := fmt.Sscanf(rest, "= delivered %d + failed %d + dropped %d + expired %d + dead %d + queued %d + on disk %d;",
		&c.delivered, &lost, &dropped, &expired, &dead, &c.queued, &onDisk); err != nil {
		return c, fmt.Errorf("%w in the dump %q", err, r.Dump)
	}
	lost, c.queued = lost+dropped+expired+dead, c.queued+onDisk
	for _, m := range failedCount.FindAllStringSubmatch(r.Dump, -1) {
		n, _ := strconv.Atoi(m[1])
		c.failed[m[2]] += n
		lost -= n
	}
	if lost != 0 {
		return c, fmt.Errorf("the failures do not add up in the dump %q", r.Dump)
	}
	return c, nil
}

// lineWith returns the rest of the text from the first mark on.
func lineWith(text, mark string) string {
	if i := strings.Index(text, mark); i >= 0 {
		return text[i:]
	}
	return ""
}

var (
	// OpenSSL's own words differ from build to build.
	openssl = regexp.MustCompile(`(: error:).*$`)

	// The plugins differ in the frame of these lines, with its name of a thread and of the queue; the words in it are librdkafka's.
	warning = regexp.MustCompile(`^kafka: (?:\S+#producer-1: )?(?:CONFWARN|TOPICCONF)(?:\(\d\): \S+#producer-1)?: ` +
		`(?:\[thrd:\w+\]: )?(.*?)(?: \(queue ` + play.Queue + `\))?$`)
	lost = regexp.MustCompile(`(?:terminated with )?(\d+) message(?:s|\(s\)) lost`)
)

// warnings are the lines about the configuration, with their levels.
func warnings(log []play.Line) string {
	var parts []string
	for _, line := range log {
		if m := warning.FindStringSubmatch(line.Text); m != nil {
			parts = append(parts, fmt.Sprintf("%d %s", line.Priority, m[1]))
		}
	}
	return strings.Join(slices.Compact(parts), "; ")
}

// outage says whether a line names the broker that cannot be reached, as an error or a warning.
func outage(log []play.Line) string {
	for _, line := range log {
		if line.Priority <= 4 && strings.Contains(line.Text, "127.0.0.1:") {
			return "says that the broker cannot be reached"
		}
	}
	return "does not say that the broker cannot be reached"
}

// stopped says how many messages a stop lost.
func stopped(log []play.Line) string {
	for _, line := range log {
		if m := lost.FindStringSubmatch(line.Text); m != nil && line.Priority <= 2 {
			return m[1] + " lost"
		}
	}
	return "nothing to report"
}

// showBroker puts into words what reached the broker.
func (s *scenario) showBroker(c *cluster, records []*kgo.Record) []shown {
	if s.brief {
		return nil
	}
	all := []shown{{theWire, c.wire()}}
	slices.SortFunc(records, func(a, b *kgo.Record) int {
		order := cmp.Compare(a.Topic, b.Topic)
		if !s.anywhere {
			order = cmp.Or(order, cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
		}
		return cmp.Or(order, bytes.Compare(a.Key, b.Key), bytes.Compare(a.Value, b.Value))
	})
	var lines, heads []string
	for _, r := range records {
		place := "/" + strconv.Itoa(int(r.Partition))
		if s.anywhere {
			place = ""
		}
		lines = append(lines, fmt.Sprintf("%s%s %s=%s", text([]byte(r.Topic)), place, text(r.Key), text(r.Value)))
		var head []string
		for _, h := range r.Headers {
			head = append(head, fmt.Sprintf("%q=%s", h.Key, text(h.Value)))
		}
		heads = append(heads, strings.Join(head, " "))
	}
	all = append(all, shown{theTopics, strings.Join(lines, "; ")}, shown{theHeads, strings.Join(slices.Compact(heads), "; ")})
	if s.spread {
		used := make(map[int32]bool)
		for _, r := range records {
			if string(r.Value) != warmValue {
				used[r.Partition] = true
			}
		}
		all = append(all, shown{"partitions in use", strconv.Itoa(len(used))})
	}
	if s.requests {
		asked := c.asked()
		for _, topic := range slices.Sorted(maps.Keys(asked)) {
			all = append(all, shown{theWire + " for " + topic, strconv.Itoa(asked[topic])})
		}
	}
	return all
}

// text is bytes in short: none is not empty.
func text(b []byte) string {
	switch {
	case b == nil:
		return "none"
	case len(b) > 40:
		return fmt.Sprintf("%d bytes (%08x)", len(b), crc32.ChecksumIEEE(b))
	}
	return strconv.Quote(string(b))
}
