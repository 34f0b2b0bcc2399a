package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/halon-extras/kafka/internal/resperr"
)

func TestStatisticsAreOneLineOfJSON(t *testing.T) {
	var q Queue
	for range 5 {
		q.Admit(10)
	}
	q.Deliver()
	q.Deliver()
	q.Fail(resperr.MsgTimedOut)
	q.Refuse()
	s := Statistics{Name: "rdkafka#producer-1", ClientID: "rdkafka", Type: "producer", Queue: "kafka1", TS: 1500000, Time: 1, Age: 1000000, MsgCnt: 2, MsgSize: 20, MsgMax: 100000, MsgSizeMax: 1 << 30}
	s.SetCounters(q.Snapshot())
	s.Topics = map[string]TopicStatistics{"mail": {Topic: "mail", PartitionCnt: 1, XmitMsgqCnt: 1, MsgqCnt: 1, Stalled: true, Partitions: map[string]PartitionStatistics{"0": {Leader: 1, Broker: 1, State: "open", TxMsgs: 2}}}}
	got := s.Line()
	want := `{"name":"rdkafka#producer-1","client_id":"rdkafka","type":"producer","queue":"kafka1","ts":1500000,"time":1,"age":1000000,` +
		`"msg_cnt":2,"msg_size":20,"msg_max":100000,"msg_size_max":1073741824,"tx":0,"tx_bytes":0,"rx":0,"rx_bytes":0,` +
		`"txmsgs":2,"in":5,"in_bytes":50,"refused":1,"failed":0,"dropped":0,"expired":1,"dead":0,"queued":2,"on_disk":0,"failures":{"-192":1},` +
		`"metadata_cache_cnt":0,"brokers":{},"topics":{"mail":{"topic":"mail","partition_cnt":1,"msgq_cnt":1,"xmit_msgq_cnt":1,"stalled":true,` +
		`"partitions":{"0":{"partition":0,"broker":1,"leader":1,"state":"open","msgq_cnt":0,"msgq_bytes":0,"msgs_inflight":0,"txmsgs":2,"txbytes":0}}}}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStatisticsOfManyTopicsFitIntoALine(t *testing.T) {
	all := Statistics{Topics: map[string]TopicStatistics{}, Brokers: map[string]BrokerStatistics{}}
	for i := range 1000 {
		t := TopicStatistics{Topic: fmt.Sprintf("topic-%d\n\"", i), Partitions: map[string]PartitionStatistics{"0": {}}}
		if i == 999 {
			t.XmitMsgqCnt = 1
		}
		all.Topics[t.Topic] = t
		all.Brokers[fmt.Sprint(i)] = BrokerStatistics{}
	}
	got := all.Line()
	var back Statistics
	if err := json.Unmarshal([]byte(got), &back); err != nil {
		t.Fatal(err)
	}
	if len(got) > mostStatistics || strings.Contains(got, "\n") {
		t.Errorf("the line has %d bytes", len(got))
	}
	if len(back.Brokers) == 0 || len(back.Brokers) == 1000 {
		t.Errorf("%d brokers", len(back.Brokers))
	}
	if _, ok := back.Topics["topic-999\n\""]; !ok || len(back.Topics)+back.TopicsOmitted != 1000 {
		t.Errorf("%d topics and %d omitted, the busy one among them: %t", len(back.Topics), back.TopicsOmitted, ok)
	}
}
