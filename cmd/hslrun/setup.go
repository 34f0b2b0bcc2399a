package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/halon-extras/kafka/internal/hsl"
	"github.com/halon-extras/kafka/internal/smtpdconf"
	"github.com/halon-extras/kafka/internal/standin"
	"github.com/halon-extras/kafka/share/plugins"
)

// stage is what a run needs: the loaded plugin, and the broker.
type stage struct {
	o    *options
	t    *terminal
	host *standin.Host
	// reloads are the running configurations that follow the first one.
	reloads []*standin.Config
	// servers is where records are read from, or "".
	servers string
	cluster *kfake.Cluster // nil unless embedded
}

// setUp reads the configuration, starts the broker, loads the plugin and asks it for its functions.
// Nothing of the plugin has started when it returns.
func setUp(o *options, t *terminal) (*stage, error) {
	entry, err := readConfig(o.plugin, o.config, t)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	running, err := readRunning(o, t)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	file, err := pluginFile(o, entry)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	err = validate(entry, file, entry.ID+".schema.json", plugins.Schema)
	for _, app := range running {
		err = errors.Join(err, validate(app, file, app.ID+"-app.schema.json", plugins.AppSchema))
	}
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	s := &stage{o: o, t: t, servers: o.broker}
	if o.broker == embedded {
		for _, one := range append(running, entry) {
			if err := plain(one.Config); err != nil {
				return nil, &exitError{exitUsage, err}
			}
		}
		if err := s.startBroker(); err != nil {
			return nil, err
		}
	}
	if s.servers != "" {
		for _, one := range append(running, entry) {
			one.Config = redirect(one.Config, s.servers)
		}
	} else {
		for _, one := range append([]*smtpdconf.Plugin{entry}, running...) {
			s.servers = cmp.Or(s.servers, serversOf(one.Config))
		}
	}
	for _, app := range running[1:] {
		s.reloads = append(s.reloads, tree(app.Config))
	}
	if s.servers == "" && len(o.topics) > 0 {
		return nil, &exitError{exitUsage, errors.New("hslrun: --consume needs --broker, or a bootstrap.servers in the configuration")}
	}
	s.host, err = standin.Open(file, standin.Options{
		PluginID:  o.plugin,
		Config:    tree(entry.Config),
		AppConfig: tree(running[0].Config),
		Threads:   o.threads,
		Log:       t.syslog,
	})
	if err != nil {
		s.close()
		return nil, &exitError{exitRefused, fmt.Errorf("hslrun: %w", err)}
	}
	if !s.host.Register() {
		s.close()
		return nil, &exitError{exitRefused, fmt.Errorf("hslrun: the plugin %s did not register its functions", o.plugin)}
	}
	return s, nil
}

func (s *stage) close() {
	if s.host != nil {
		s.host.Close()
	}
	if s.cluster != nil {
		s.cluster.Close()
	}
}

func (s *stage) startBroker() error {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(1),
		kfake.SeedTopics(-1, s.o.topics...),
	)
	if err != nil {
		return fmt.Errorf("hslrun: the embedded broker does not start: %w", err)
	}
	s.cluster = cluster
	s.servers = cluster.ListenAddrs()[0]
	return nil
}

// readRunning is the plugin's entry of the running configuration that it starts with, and of those that follow.
func readRunning(o *options, t *terminal) ([]*smtpdconf.Plugin, error) {
	var all []*smtpdconf.Plugin
	for _, name := range append([]string{o.appConfig}, o.reloads...) {
		one, err := readConfig(o.plugin, name, t)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// readConfig is the plugin's entry of smtpd.yaml or smtpd-app.yaml, or one without anything.
func readConfig(plugin, name string, t *terminal) (*smtpdconf.Plugin, error) {
	none := &smtpdconf.Plugin{ID: plugin}
	if name == "" {
		return none, nil
	}
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("hslrun: %w", err)
	}
	file, err := smtpdconf.Parse(name, src)
	if err != nil {
		return nil, err
	}
	if entry := file.Plugin(plugin); entry != nil {
		if _, unset := entry.Env(); unset != nil {
			return nil, unset
		}
		return entry, nil
	}
	t.logf("hslrun: %s has no plugin with the id %s: it is without a configuration there", name, plugin)
	return none, nil
}

// pluginFile is the plugin's .so, as an absolute path: dlopen looks for a bare name elsewhere.
func pluginFile(o *options, entry *smtpdconf.Plugin) (string, error) {
	var places []string
	switch {
	case o.pluginPath != "":
		places = []string{o.pluginPath}
	case filepath.IsAbs(entry.Path):
		places = []string{entry.Path}
	case entry.Path != "":
		places = []string{entry.Path, filepath.Join(filepath.Dir(o.config), entry.Path)}
	default:
		places = append([]string{filepath.Join("build", o.plugin+".so")}, besideProgram(o.plugin+".so")...)
	}
	return firstFile("the plugin "+o.plugin, places)
}

// besideProgram is a path from the folder that the program is in.
func besideProgram(elements ...string) []string {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(append([]string{filepath.Dir(program)}, elements...)...)}
}

func firstFile(what string, places []string) (string, error) {
	for _, place := range places {
		info, err := os.Stat(place)
		if err == nil && info.IsDir() {
			continue
		}
		if err == nil {
			return filepath.Abs(place)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("hslrun: %s: %w", what, err)
		}
	}
	return "", fmt.Errorf("hslrun: %s is not found: there is no %s", what, strings.Join(places, " and no "))
}

// validate holds the configuration against the plugin's schema file: the one installed with it, else this
// project's. A plugin of somebody else without a schema file is not checked, as in Halon.
func validate(entry *smtpdconf.Plugin, file, name string, ours []byte) error {
	name = filepath.Join("share", "plugins", name)
	places := append([]string{filepath.Join(filepath.Dir(file), "..", name), name}, besideProgram("..", name)...)
	var schema []byte
	if place, err := firstFile("the schema", places); err == nil {
		if schema, err = os.ReadFile(place); err != nil {
			return fmt.Errorf("hslrun: %w", err)
		}
	} else if entry.ID == "kafka" {
		schema = ours
	} else {
		return nil
	}
	return entry.Validate(schema)
}

// parse reads the script with the functions that the plugin registered.
func (s *stage) parse(script source) (*hsl.Program, error) {
	return hsl.Parse(script.name, script.text, &hsl.Env{
		Modules:  map[string]map[string]hsl.Native{s.module(): natives(nil, s.host.Functions())},
		ReadFile: os.ReadFile,
	})
}

// module is what scripts import the plugin's functions from.
func (s *stage) module() string { return "extras://" + s.o.plugin }
