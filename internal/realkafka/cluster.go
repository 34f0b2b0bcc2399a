package realkafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
)

// A member is what makes a broker one of a cluster whose first broker is also the controller.
type member struct {
	leader *Broker
	node   int
}

// StartCluster starts n brokers of one cluster. The first one, node 1, is the controller too, so a test that kills or hangs a broker takes
// another one. The caller closes each.
//
// A replica that does not answer leaves the ones in sync after two seconds, and topics have three replicas where n allows that.
func StartCluster(ctx context.Context, n int, options Options) (brokers []*Broker, err error) {
	defer func() {
		if err != nil {
			for _, b := range brokers {
				err = errors.Join(err, b.Close())
			}
		}
	}()
	own := map[string]string{
		"replica.lag.time.max.ms": "2000", "default.replication.factor": fmt.Sprint(min(n, 3)), "min.insync.replicas": fmt.Sprint(min(n, 2)),
		"auto.leader.rebalance.enable": "false",
	}
	maps.Copy(own, options.Properties)
	options.Properties = own
	for node := 1; node <= n; node++ {
		if node > 1 {
			options.member = member{leader: brokers[0], node: node}
		}
		b, err := Start(ctx, options)
		if err != nil {
			return brokers, err
		}
		brokers = append(brokers, b)
	}
	return brokers, nil
}

// Dump returns what Kafka's own tool reads in the log of a partition, each record of each batch, and whether it is valid. The broker
// should be stopped, so that everything is in the file.
func (b *Broker) Dump(ctx context.Context, topic string, partition int) (string, error) {
	file := filepath.Join(b.root, "log", fmt.Sprintf("%s-%d", topic, partition), "00000000000000000000.log")
	arguments := append(b.jvmOptions(), "org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--files", file)
	out, err := exec.CommandContext(ctx, b.java, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("dump %s: %w\n%s", file, err, out)
	}
	return string(out), nil
}
