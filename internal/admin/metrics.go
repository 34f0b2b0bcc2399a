package admin

import (
	"cmp"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/halon-extras/kafka/internal/report"
)

// mostTopics bounds the series of a queue: scripts make up names of topics. So does mostBrokers.
const mostTopics, mostBrokers = 100, 100

func metricsCommand(c *call) (answer, error) {
	families := Families(c.Deps)
	return answer{string(report.Exposition(families, report.PrometheusText)), map[string][]report.Family{"metrics": families}}, nil
}

// A scrape is what a queue said of itself at one moment: all series of a queue come from it, so they add up.
type scrape struct {
	id       string
	queue    Queue
	snapshot report.Snapshot
	health   *report.Health
	brokers  []report.BrokerStatistics
	spool    *report.Spool
	topics   []report.Topic
}

// A series is a row of the table of metrics: what each queue adds to a family.
type series struct {
	name string
	kind report.FamilyType
	unit string
	help string
	add  func(f *report.Family, s *scrape)
}

func allSeries() []series {
	const counter, gauge = report.Counter, report.Gauge
	one := func(value func(*scrape) int64) func(*report.Family, *scrape) {
		return func(f *report.Family, s *scrape) { f.Add(float64(value(s)), "queue", s.id) }
	}
	spool := func(value func(*report.Spool) float64) func(*report.Family, *scrape) {
		return func(f *report.Family, s *scrape) {
			if s.spool != nil {
				f.Add(value(s.spool), "queue", s.id)
			}
		}
	}
	topic := func(value func(report.Topic) int) func(*report.Family, *scrape) {
		return func(f *report.Family, s *scrape) {
			for _, t := range s.topics[:min(mostTopics, len(s.topics))] {
				f.Add(float64(value(t)), "queue", s.id, "topic", t.Name)
			}
		}
	}
	broker := func(value func(*report.BrokerStatistics) float64) func(*report.Family, *scrape) {
		return func(f *report.Family, s *scrape) {
			for i := range s.brokers[:min(mostBrokers, len(s.brokers))] {
				f.Add(value(&s.brokers[i]), "queue", s.id, "broker", s.brokers[i].Name)
			}
		}
	}
	return []series{
		{"accepted_messages", counter, "messages", "Messages that calls left in the queue, with those that the start found on disk.", one(func(s *scrape) int64 { return s.snapshot.In })},
		{"accepted_value_bytes", counter, "bytes", "Bytes of the values of accepted messages.", one(func(s *scrape) int64 { return s.snapshot.InBytes })},
		{"delivered_messages", counter, "messages", "Messages that a broker acknowledged.", one(func(s *scrape) int64 { return s.snapshot.Delivered })},
		{"failed_messages", counter, "messages", "Accepted messages that were not delivered: by fate (failed, dropped, expired or dead) and reason.", func(f *report.Family, s *scrape) {
			for _, failure := range s.snapshot.Failures {
				f.Add(float64(failure.Count), "queue", s.id, "fate", failure.Fate.String(), "reason", failure.Code.Name(), "code", strconv.Itoa(int(failure.Code)))
			}
		}},
		{"queued_messages", gauge, "messages", "Accepted messages without a delivery report that are in memory only.", one(func(s *scrape) int64 { return s.snapshot.InMemory() })},
		{"on_disk_messages", gauge, "messages", "Accepted messages without a delivery report that are on disk.", one(func(s *scrape) int64 { return s.snapshot.OnDisk })},
		{"in_flight_messages", gauge, "messages", "Messages that are on their way to a broker.", one(func(s *scrape) int64 { return s.health.InFlight })},
		{"oldest_message_age_seconds", gauge, "seconds", "How long ago the oldest message without a delivery report was accepted; 0 without one.", func(f *report.Family, s *scrape) {
			age := 0.0
			if s.snapshot.Queued > 0 {
				age = s.health.OldestAge(time.Now()).Seconds()
			}
			f.Add(age, "queue", s.id)
		}},
		{"queue_state", gauge, "", "1 for the state that the queue is in: ok, degraded or failed.", func(f *report.Family, s *scrape) {
			for _, state := range []report.State{report.OK, report.Degraded, report.Broken} {
				f.Add(float64(truth(s.health.State == state)), "queue", s.id, "state", state.String())
			}
		}},
		{"queue_state_timestamp_seconds", gauge, "seconds", "When the state of the queue began, in seconds since 1970.", func(f *report.Family, s *scrape) {
			f.Add(float64(s.health.Since.UnixMilli())/1000, "queue", s.id)
		}},
		{"queue_problem", gauge, "", "1 for each kind of reason for which the queue is not ok.", func(f *report.Family, s *scrape) {
			for kind := range report.Kinds {
				f.Add(float64(truth(s.health.Has(kind))), "queue", s.id, "reason", kind.String())
			}
		}},
		{"delivery_duration_seconds", report.HistogramFamily, "seconds", "From the acceptance of a message to its acknowledgement. All messages of a batch count with the age of its oldest.", func(f *report.Family, s *scrape) {
			f.Samples = append(f.Samples, s.queue.Times().Delivery.Samples("queue", s.id)...)
		}},
		{"refused_calls", counter, "calls", "Calls that were answered with an error instead of being accepted.", one(func(s *scrape) int64 { return s.snapshot.Refused })},
		{"parked_calls", gauge, "calls", "Calls that wait for room in the queue.", one(func(s *scrape) int64 { return int64(s.queue.Parked()) })},
		{"queue_limit_messages", gauge, "messages", "The most messages that the queue holds in memory; 0 is no limit.", one(func(s *scrape) int64 { return int64(s.queue.Settings().QueueMaxMessages) })},
		{"queue_limit_bytes", gauge, "bytes", "The most bytes of values that the queue holds in memory.", one(func(s *scrape) int64 { return s.queue.Settings().QueueMaxBytes })},

		{"broker_up", gauge, "", "1 while the connection to the broker can be used.", broker(func(b *report.BrokerStatistics) float64 { return float64(truth(b.State == "UP")) })},
		{"broker_rtt_seconds", gauge, "seconds", "How long answers of the broker take, a moving average.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.RTT.Avg) / 1e6 })},
		{"broker_throttle_seconds", gauge, "seconds", "The last pause that the broker asked for.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.Throttle.Avg) / 1e3 })},
		{"broker_in_flight_requests", gauge, "requests", "Requests without an answer.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.WaitrespCnt) })},
		{"broker_requests", counter, "requests", "Requests to the broker.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.Tx) })},
		{"broker_sent_bytes", counter, "bytes", "Bytes of requests to the broker.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.TxBytes) })},
		{"broker_received_bytes", counter, "bytes", "Bytes of answers of the broker.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.RxBytes) })},
		{"broker_timeouts", counter, "", "Requests that had no answer in time.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.ReqTimeouts) })},
		{"broker_connects", counter, "", "Connections to the broker.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.Connects) })},
		{"broker_disconnects", counter, "", "Connections to the broker that have ended.", broker(func(b *report.BrokerStatistics) float64 { return float64(b.Disconnects) })},

		{"topics", gauge, "", "Topics that the queue has sent to.", one(func(s *scrape) int64 { return int64(len(s.topics)) })},
		{"stalled_topics", gauge, "topics", "Topics of which nothing could be delivered for a while.", one(func(s *scrape) int64 { return stalledOf(s.topics) })},
		{"topic_partitions", gauge, "partitions", "Partitions of the topic; 0 while that is not known. The busiest hundred topics of a queue have series.", topic(func(t report.Topic) int { return t.Partitions })},
		{"topic_client_messages", gauge, "messages", "Messages of the topic that are on their way to a broker.", topic(func(t report.Topic) int { return t.InClient })},
		{"topic_waiting_messages", gauge, "messages", "Messages of the topic that are in memory and wait to be sent.", topic(func(t report.Topic) int { return t.Waiting })},
		{"topic_stalled", gauge, "", "1 while nothing of the topic can be delivered.", topic(func(t report.Topic) int { return truth(t.Stalled) })},

		{"spool_pending_messages", gauge, "messages", "Messages on disk that no broker has acknowledged.", spool(func(s *report.Spool) float64 { return float64(s.Pending) })},
		{"spool_bytes", gauge, "bytes", "Bytes that the spool takes on disk.", spool(func(s *report.Spool) float64 { return float64(s.Bytes) })},
		{"spool_limit_bytes", gauge, "bytes", "The most bytes that the spool may take on disk.", spool(func(s *report.Spool) float64 { return float64(s.MaxBytes) })},
		{"spool_segments", gauge, "segments", "Files of the spool.", spool(func(s *report.Spool) float64 { return float64(s.Segments) })},
		{"spool_oldest_message_timestamp_seconds", gauge, "seconds", "When the oldest message on disk that no broker has acknowledged was stored, in seconds since 1970.", func(f *report.Family, s *scrape) {
			if s.spool != nil && !s.spool.Oldest.IsZero() {
				f.Add(float64(s.spool.Oldest.UnixMilli())/1000, "queue", s.id)
			}
		}},
		{"spool_dropped_messages", counter, "messages", "Messages that were given up because the spool was full.", spool(func(s *report.Spool) float64 { return float64(s.Dropped) })},
		{"spool_damaged_places", counter, "places", "Damaged places on disk that were skipped.", spool(func(s *report.Spool) float64 { return float64(s.Corrupt) })},
		{"spool_missing_messages", counter, "messages", "Messages that were lost by damage on disk.", spool(func(s *report.Spool) float64 { return float64(s.Missing) })},
		{"possibly_duplicated_messages", counter, "messages", "Messages that were sent although they may have been delivered before, of queues that deliver each message once.", spool(func(s *report.Spool) float64 { return float64(s.Doubted) })},
		{"spool_syncs", counter, "syncs", "Times that the disk was asked to make messages durable.", spool(func(s *report.Spool) float64 { return float64(s.Syncs) })},
		{"spool_sync_duration_seconds", report.HistogramFamily, "seconds", "How long the disk takes to make messages durable.", func(f *report.Family, s *scrape) {
			if s.spool != nil {
				f.Samples = append(f.Samples, s.queue.Times().Sync.Samples("queue", s.id)...)
			}
		}},
		{"spool_longest_sync_seconds", gauge, "seconds", "How long the slowest of them took since the start.", spool(func(s *report.Spool) float64 { return s.SyncMax.Seconds() })},
		{"spool_degraded", gauge, "", "1 while nothing can be stored on disk.", spool(func(s *report.Spool) float64 { return float64(truth(s.Degraded != "")) })},
		{"dead_letter_pending_messages", gauge, "messages", "Dead letters in the folder of the spool.", spool(func(s *report.Spool) float64 { return float64(s.Dead) })},
		{"dead_letter_messages", counter, "messages", "Dead letters that were written since the start.", spool(func(s *report.Spool) float64 { return float64(s.Letters) })},
	}
}

// Families returns all metrics of the plugin. Of each queue they are of one moment:
// accepted = delivered + failed (of all fates) + queued + on disk.
func Families(d Deps) []report.Family {
	begun := time.Now()
	var scrapes []*scrape
	for _, q := range d.Queues() {
		s := &scrape{id: q.ID(), queue: q, snapshot: q.Snapshot(), health: q.Health(), brokers: q.Brokers(), spool: q.Spool(), topics: q.Topics()}
		slices.SortFunc(s.topics, func(a, b report.Topic) int {
			return cmp.Or(truth(b.Stalled)-truth(a.Stalled), cmp.Compare(b.InClient+b.Waiting, a.InClient+a.Waiting), cmp.Compare(a.Name, b.Name))
		})
		scrapes = append(scrapes, s)
	}
	all := process(d, len(scrapes))
	for _, row := range allSeries() {
		f := family(row.name, row.kind, row.unit, row.help)
		for _, s := range scrapes {
			row.add(&f, s)
		}
		all = append(all, f)
	}
	d.Scrape.Observe(time.Since(begun))
	return all
}

const namePrefix = "halon_kafka_"

func family(name string, kind report.FamilyType, unit, help string) report.Family {
	return report.Family{Name: namePrefix + name, Type: kind, Unit: unit, Help: help}
}

// process are the metrics of the plugin as a whole.
func process(d Deps, queues int) []report.Family {
	v := versionsNow()
	build := family("build_info", report.Gauge, "", "1, with the versions of the plugin, of Go and of the Kafka protocol in it.")
	build.Add(1, "version", v.Plugin, "go", strings.TrimPrefix(v.Go, "go"), "franz_go", v.Client)
	start := family("start_time_seconds", report.Gauge, "seconds", "When the queues were started, in seconds since 1970.")
	start.Add(float64(d.Start.UnixMilli()) / 1000)
	number := family("queues", report.Gauge, "", "Queues that run.")
	number.Add(float64(queues))
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/sched/goroutines:goroutines"}}
	metrics.Read(samples)
	heap := family("heap_bytes", report.Gauge, "bytes", "Memory in the heap of the plugin's runtime.")
	heap.Add(float64(samples[0].Value.Uint64()))
	memory := family("runtime_memory_bytes", report.Gauge, "bytes", "Memory that the plugin's runtime has from the system.")
	memory.Add(float64(samples[1].Value.Uint64()))
	goroutines := family("goroutines", report.Gauge, "", "Goroutines of the plugin.")
	goroutines.Add(float64(samples[2].Value.Uint64()))
	scrapes := family("scrape_duration_seconds", report.HistogramFamily, "seconds", "How long it takes to gather the metrics of the queues.")
	scrapes.Samples = d.Scrape.Samples()
	calls := family("call_duration_seconds", report.HistogramFamily, "seconds", "How long a call holds its script's thread, until its answer is known or the script is suspended. One call in 64 of each thread is measured.")
	if d.Calls != nil {
		for _, c := range d.Calls() {
			calls.Samples = append(calls.Samples, c.Samples()...)
		}
	}
	return []report.Family{build, start, number, heap, memory, goroutines, scrapes, calls}
}

func truth(is bool) int {
	if is {
		return 1
	}
	return 0
}

func stalledOf(topics []report.Topic) (n int64) {
	for _, t := range topics {
		n += int64(truth(t.Stalled))
	}
	return n
}
