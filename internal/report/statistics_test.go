package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

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
	s := Statistics{Name: "rdkafka#producer-1", ClientID: "rdkafka", Queue: "kafka1", MsgCnt: 2, MsgSize: 20, MsgMax: 100000, MsgSizeMax: 1 << 30}
	s.SetCounters(q.Snapshot())
	s.SetTime(time.UnixMilli(1500), time.UnixMilli(500))
	got := s.JSON([]Topic{{Name: "mail", Partitions: 3, InClient: 1, Waiting: 1, Stalled: true}})
	want := `{"name":"rdkafka#producer-1","client_id":"rdkafka","type":"producer","queue":"kafka1","ts":1500000,"time":1,"age":1000000,` +
		`"msg_cnt":2,"msg_size":20,"msg_max":100000,"msg_size_max":1073741824,` +
		`"txmsgs":2,"in":5,"in_bytes":50,"refused":1,"failed":1,"failures":{"-192":1},` +
		`"topics":{"mail":{"topic":"mail","partition_cnt":3,"msgq_cnt":1,"xmit_msgq_cnt":1,"stalled":true}}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStatisticsOfManyTopicsFitIntoALine(t *testing.T) {
	var topics []Topic
	for i := range 1000 {
		topics = append(topics, Topic{Name: fmt.Sprintf("topic-%d\n\"", i)})
	}
	topics[999].InClient = 1
	got := Statistics{}.JSON(topics)
	var back Statistics
	if err := json.Unmarshal([]byte(got), &back); err != nil {
		t.Fatal(err)
	}
	if len(got) > mostStatistics || strings.Contains(got, "\n") {
		t.Errorf("the line has %d bytes", len(got))
	}
	if _, ok := back.Topics[topics[999].Name]; !ok || len(back.Topics)+back.TopicsOmitted != 1000 {
		t.Errorf("%d topics and %d omitted, the busy one among them: %t", len(back.Topics), back.TopicsOmitted, ok)
	}
}
