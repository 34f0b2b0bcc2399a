package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

const usage = `hslrun runs an HSL script against kafka.so where there is no Halon.

usage: hslrun [flags] SCRIPT.hsl
       hslrun [flags] -            reads the script from standard input

  -c, --config FILE     the smtpd.yaml that configures the plugin; without it the plugin starts
                        with no configuration
  -A, --appconf FILE    the smtpd-app.yaml, the running configuration, that the plugin starts with
      --reload FILE     after the script, load FILE as smtpd-app.yaml, as "halonctl config reload" does,
                        and run the script once more; may be repeated
  -p, --plugin ID       the plugin's id in plugins[] of smtpd.yaml (default kafka); the script
                        imports from "extras://ID"
      --plugin-path SO  the plugin's file; else plugins[].path, else build/ID.so here, else ID.so
                        beside hslrun
      --broker WHERE    "embedded" starts a broker inside of hslrun, which makes topics as they
                        are used, with one partition; HOST:PORT is one that runs. Its address takes
                        the place of bootstrap.servers in every queue
      --consume TOPIC   after the plugin has drained, print all records of the topic, a JSON line
                        each; may be repeated. Reads from --broker, else from the first
                        bootstrap.servers of the configuration, without TLS and SASL
      --command 'NAME ARGUMENT...'
                        as "halonctl plugin command ID NAME ARGUMENT..." after the script; may be
                        repeated
      --control SOCKET  answer commands on this socket while the script runs
      --threads N       the script threads of the host (default 1). A script that waits for room
                        with block=true is parked and leaves its thread to another one
      --repeat N        run the script N times in all, as many at once as there are threads
                        (default 1)
      --version         the version of hslrun
  -h, --help            this text

The script's echo, the answers of commands and the records go to standard output. The plugin's
log, the script's syslog() and all errors go to standard error.

A record is {"topic","partition","offset","timestamp","key","value","headers"}, in this order, by
partition and offset. A null key or value is null. Bytes that are not UTF-8 are in key_base64 and
value_base64 instead. headers is a list of [key, value] in the record's order; a null value is
null, and bytes that are not UTF-8 are {"base64":"..."} in the place of the string.

exit status: 0  done
             1  an exception was not caught, a command failed, the plugin broke a rule of the
                host, or the records could not be read
             2  usage, a file that is not there (the plugin's too), or an error in the script or the
                configuration, with file, line and column
             3  the plugin refused to start, or its file is not one that can be loaded
             4  all was well until the plugin stopped: it could not send all that it had accepted in the
                time for that, or was interrupted meanwhile

  hslrun -c examples/smtpd.yaml --broker embedded --consume test-topic examples/produce.hsl
`

// options are the flags.
type options struct {
	config     string
	appConfig  string
	reloads    list
	plugin     string
	pluginPath string
	broker     string
	topics     list
	commands   list
	control    string
	threads    int
	repeat     int
	script     string
}

// embedded is the value of --broker that starts one.
const embedded = "embedded"

// errVersion is returned for --version, as [flag.ErrHelp] is for --help.
var errVersion = errors.New("the version was asked for")

// list is a flag that may be repeated.
type list []string

func (l *list) String() string { return strings.Join(*l, ", ") }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

func parseFlags(args []string) (*options, error) {
	o := &options{}
	var plugins list
	f := flag.NewFlagSet("hslrun", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	for _, name := range []string{"c", "config"} {
		f.StringVar(&o.config, name, "", "")
	}
	for _, name := range []string{"A", "appconf"} {
		f.StringVar(&o.appConfig, name, "", "")
	}
	f.Var(&o.reloads, "reload", "")
	for _, name := range []string{"p", "plugin"} {
		f.Var(&plugins, name, "")
	}
	f.StringVar(&o.pluginPath, "plugin-path", "", "")
	f.StringVar(&o.broker, "broker", "", "")
	f.Var(&o.topics, "consume", "")
	f.Var(&o.commands, "command", "")
	f.StringVar(&o.control, "control", "", "")
	f.IntVar(&o.threads, "threads", 1, "")
	f.IntVar(&o.repeat, "repeat", 1, "")
	version := f.Bool("version", false, "")
	// Flags may also follow the script, which the flag package takes for the end of them.
	var scripts []string
	for rest := args; ; {
		if err := f.Parse(rest); err != nil {
			return nil, err
		}
		if f.NArg() == 0 {
			break
		}
		scripts = append(scripts, f.Arg(0))
		rest = f.Args()[1:]
	}
	if *version {
		return nil, errVersion
	}
	if len(scripts) != 1 {
		return nil, fmt.Errorf("one script is needed, or - for standard input; there are %d", len(scripts))
	}
	o.script = scripts[0]
	// An empty value is most often a variable of the shell that is not set: without the flag, the run
	// would be another one than was meant.
	var empty error
	f.Visit(func(given *flag.Flag) {
		if given.Value.String() == "" && empty == nil {
			empty = fmt.Errorf("%s is empty: give it a value, or leave it out", dashes(given.Name))
		}
	})
	if empty != nil {
		return nil, empty
	}
	o.plugin = "kafka"
	if len(plugins) > 1 {
		return nil, errors.New("only one --plugin can be loaded here")
	}
	if len(plugins) == 1 {
		o.plugin = plugins[0]
	}
	return o, o.check()
}

// dashes is a flag as it is written.
func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func (o *options) check() error {
	if o.plugin == "" || strings.ContainsRune(o.plugin, '/') {
		return fmt.Errorf("--plugin %q: it must be the id of a plugin, such as kafka", o.plugin)
	}
	if o.threads < 1 {
		return fmt.Errorf("--threads %d: it must be at least 1", o.threads)
	}
	if o.repeat < 1 {
		return fmt.Errorf("--repeat %d: it must be at least 1", o.repeat)
	}
	if o.broker != "" && o.broker != embedded {
		if host, port, err := net.SplitHostPort(o.broker); err != nil || host == "" || port == "" {
			return fmt.Errorf("--broker %q: it must be %q or HOST:PORT", o.broker, embedded)
		}
	}
	if slices.Contains(o.topics, "") {
		return errors.New("--consume needs the name of a topic")
	}
	for _, command := range o.commands {
		if strings.TrimSpace(command) == "" {
			return errors.New("--command needs the name of a command")
		}
	}
	return nil
}
