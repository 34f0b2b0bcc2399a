package report

import (
	"time"

	"github.com/halon-extras/kafka/internal/record"
)

// Cluster is what a cluster says of itself.
type Cluster struct {
	ID         string          `json:"cluster_id"`
	Controller int32           `json:"controller"` // -1 if it does not tell
	Took       float64         `json:"took_seconds"`
	Brokers    []ClusterBroker `json:"brokers"`
	Topics     []ClusterTopic  `json:"topics"`
}

// ClusterBroker is a broker that the cluster names.
type ClusterBroker struct {
	ID      int32  `json:"id"`
	Address string `json:"address"`
}

// ClusterTopic is a topic that was asked about.
type ClusterTopic struct {
	Name       string             `json:"name"`
	Error      string             `json:"error,omitempty"`
	Partitions []ClusterPartition `json:"partitions"`
}

// ClusterPartition is one of its partitions.
type ClusterPartition struct {
	ID       int32  `json:"id"`
	Leader   int32  `json:"leader"` // -1 is none
	Replicas int    `json:"replicas"`
	InSync   int    `json:"in_sync"`
	Error    string `json:"error,omitempty"`
}

// Requeue is how far the return of dead letters to the queue has come.
type Requeue struct {
	Moved  int    `json:"moved"`
	Kept   int    `json:"kept"`             // of another topic, or not taken by the queue
	Reason string `json:"reason,omitempty"` // why one was not taken
	Done   bool   `json:"done"`
}

// A Letter is a dead letter.
type Letter struct {
	Record record.Record // a copy
	Seq    uint64        // in the folder of dead letters
	Time   time.Time     // when it became one
	Code   int
	Reason string
}
