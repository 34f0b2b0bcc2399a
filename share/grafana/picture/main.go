// Command picture makes docs/dashboard.png: the panels of the dashboard, from a real run. hslrun runs a script against kafka.so, the embedded broker is away for a fifth of
// the time, and a real Prometheus scrapes the plugin. Then it asks Prometheus the dashboard's own queries, and a real browser draws each panel at its place with uPlot, the
// library that Grafana draws time series with. Grafana itself is not there, so its frame is not either.
//
//	make picture
//
// It needs prometheus, chromium and npm. It is for the documentation, and no test runs it.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

const pictureWidth = 1400

//go:embed page.html
var page string

const configuration = `plugins:
- id: kafka
  config:
    metrics: {listen: %q}
    queues:
    - id: mail
      config: {bootstrap.servers: %q, message.timeout.ms: 20000, reconnect.backoff.max.ms: 2000}
    - id: audit
      config: {bootstrap.servers: %q, reconnect.backoff.max.ms: 2000}
      spool: {path: %q}
`

const script = `import { kafka_producer } from "extras://kafka";
$end = time() + %d;
$n = 0;
while (time() < $end) {
    for ($i = 0; $i < 10; $i += 1)
        kafka_producer("mail", "mail", json_encode(["id" => uuid(), "size" => 1000 + $n * 37 %% 90000, "status" => "delivered"]));
    kafka_producer("audit", "audit", json_encode(["id" => uuid(), "action" => "login"]));
    sleep(0.01 + ($n * 7 %% 20) / 1000);
    $n += 1;
}
`

func main() {
	out := flag.String("o", "dashboard.png", "the picture")
	seconds := flag.Int("seconds", 180, "how long the run is; in its middle the broker is away for a fifth of it")
	flag.Parse()
	if err := run(*out, *seconds); err != nil {
		log.Fatal(err)
	}
}

func run(out string, seconds int) error {
	dir, err := os.MkdirTemp("", "picture-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder of its own; what stays is in the way of nobody
	addresses, err := free(3)
	if err != nil {
		return err
	}
	broker, metrics, prometheus := addresses[0], addresses[1], addresses[2]
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		return path
	}
	smtpd := write("smtpd.yaml", fmt.Sprintf(configuration, metrics, broker, broker, filepath.Join(dir, "spool")))
	hsl := write("load.hsl", fmt.Sprintf(script, seconds))
	config := write("prometheus.yml", fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: halon-kafka\n  static_configs:\n  - targets: [%q]\n    labels: {instance: mx1}\n", metrics))
	if err != nil {
		return err
	}
	server := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+prometheus, "--log.level=error")
	plugin := exec.Command("build/hslrun", "-c", smtpd, "--threads", "4", "--repeat", "4", hsl)
	server.Stderr, plugin.Stderr, plugin.Stdout = os.Stderr, os.Stderr, os.Stderr
	cluster, err := serve(broker)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()
	begin := time.Now()
	if err := plugin.Start(); err != nil {
		return err
	}
	part := time.Duration(seconds) * time.Second / 5
	time.Sleep(2 * part)
	cluster.Close()
	time.Sleep(part)
	if cluster, err = serve(broker); err != nil {
		return err
	}
	defer cluster.Close()
	time.Sleep(time.Until(begin.Add(5 * part)))
	data, err := ask(prometheus, begin, time.Now())
	if err != nil {
		return err
	}
	if err := plugin.Wait(); err != nil {
		return fmt.Errorf("hslrun: %w", err)
	}
	return draw(dir, out, data)
}

func serve(address string) (*kfake.Cluster, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var n int
	if _, err := fmt.Sscan(port, &n); err != nil {
		return nil, err
	}
	return kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(n), kfake.SeedTopics(4, "mail", "audit"))
}

func free(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// draw makes a page of the data and has the browser make a picture of it.
func draw(dir, out string, data *board) error {
	install := exec.Command("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", dir, "uplot@1.6.32")
	install.Stderr = os.Stderr
	if err := install.Run(); err != nil {
		return fmt.Errorf("npm install uplot: %w", err)
	}
	library, err := os.ReadFile(filepath.Join(dir, "node_modules", "uplot", "dist", "uPlot.iife.min.js"))
	if err != nil {
		return err
	}
	style, err := os.ReadFile(filepath.Join(dir, "node_modules", "uplot", "dist", "uPlot.min.css"))
	if err != nil {
		return err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	html := strings.NewReplacer("/*STYLE*/", string(style), "/*LIBRARY*/", string(library), "/*DATA*/", string(text)).Replace(page)
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(html), 0o600); err != nil {
		return err
	}
	full, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	height := 48 // as in the page
	for _, p := range data.Panels {
		height = max(height, 48+(p.GridPos.Y+p.GridPos.H)*24)
	}
	browser := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", fmt.Sprintf("--window-size=%d,%d", pictureWidth, height), "--virtual-time-budget=5000",
		"--screenshot="+full, "file://"+file)
	if text, err := browser.CombinedOutput(); err != nil {
		return fmt.Errorf("chromium: %w\n%s", err, text)
	}
	return nil
}
