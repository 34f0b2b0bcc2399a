package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/halon-extras/kafka/internal/hsl"
	"github.com/halon-extras/kafka/internal/smtpdconf"
	"github.com/halon-extras/kafka/internal/standin"
	"github.com/halon-extras/kafka/share/plugins"
	"github.com/twmb/franz-go/pkg/kfake"
)

// stage is what a run needs: the loaded plugin, and the broker.
type stage struct {
	o    *options
	t    *terminal
	host *standin.Host
	// servers is where records are read from, or "".
	servers string
	cluster *kfake.Cluster // nil unless embedded
}

// setUp reads the configuration, starts the broker, loads the plugin and asks it for its functions.
// Nothing of the plugin has started when it returns.
func setUp(o *options, t *terminal) (*stage, error) {
	entry, err := readConfig(o, t)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	file, err := pluginFile(o, entry)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if err := validate(entry, file); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	s := &stage{o: o, t: t, servers: o.broker}
	if o.broker == embedded {
		if err := plain(entry.Config); err != nil {
			return nil, &exitError{exitUsage, err}
		}
		if err := s.startBroker(); err != nil {
			return nil, err
		}
	}
	config := entry.Config
	if s.servers != "" {
		config = redirect(config, s.servers)
	} else {
		s.servers = serversOf(config)
	}
	if s.servers == "" && len(o.topics) > 0 {
		return nil, &exitError{exitUsage, errors.New("hslrun: --consume needs --broker, or a bootstrap.servers in the configuration")}
	}
	s.host, err = standin.Open(file, standin.Options{
		PluginID: o.plugin,
		Config:   tree(config),
		Threads:  o.threads,
		Log:      t.syslog,
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

// readConfig is the plugin's entry of smtpd.yaml, or one without anything.
func readConfig(o *options, t *terminal) (*smtpdconf.Plugin, error) {
	none := &smtpdconf.Plugin{ID: o.plugin}
	if o.config == "" {
		return none, nil
	}
	src, err := os.ReadFile(o.config)
	if err != nil {
		return nil, fmt.Errorf("hslrun: %w", err)
	}
	file, err := smtpdconf.Parse(o.config, src)
	if err != nil {
		return nil, err
	}
	if entry := file.Plugin(o.plugin); entry != nil {
		if _, unset := entry.Env(); unset != nil {
			return nil, unset
		}
		return entry, nil
	}
	t.logf("hslrun: %s has no plugin with the id %s: it starts without a configuration", o.config, o.plugin)
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
	return "", fmt.Errorf("hslrun: %s is not found: there is no %s", what, joined(places))
}

func joined(places []string) string {
	text := ""
	for i, place := range places {
		if i > 0 {
			text += " and no "
		}
		text += place
	}
	return text
}

// validate holds the configuration against the plugin's schema file: the one installed with it, else this
// project's. A plugin of somebody else without a schema file is not checked, as in Halon.
func validate(entry *smtpdconf.Plugin, file string) error {
	name := filepath.Join("share", "plugins", entry.ID+".schema.json")
	places := append([]string{filepath.Join(filepath.Dir(file), "..", name), name}, besideProgram("..", name)...)
	var schema []byte
	if place, err := firstFile("the schema", places); err == nil {
		if schema, err = os.ReadFile(place); err != nil {
			return fmt.Errorf("hslrun: %w", err)
		}
	} else if entry.ID == "kafka" {
		schema = plugins.Schema
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
