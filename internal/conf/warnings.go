package conf

import (
	"fmt"
	"strings"
)

// Warning is a line for the log about a configuration that was accepted.
type Warning struct {
	Level    int    // as syslog: 3 error, 4 warning, 5 notice
	Facility string // librdkafka's word for where it comes from; NOEFFECT is ours
	Text     string
}

// noEffect is the facility of the lines that librdkafka does not have: what was set and does
// nothing here.
const noEffect = "NOEFFECT"

// warnings returns librdkafka's warnings in its order, then ours.
func (c *Conf) warnings(brokers int) []Warning {
	var all []Warning
	warn := func(level int, format string, args ...any) {
		all = append(all, Warning{Level: level, Facility: "CONFWARN", Text: fmt.Sprintf(format, args...)})
	}
	for i := range properties {
		p := &properties[i]
		if !c.values[i].modified {
			continue
		}
		if p.Deprecated || p.Experimental {
			// Both words run into each other in librdkafka.
			state := ""
			if p.Deprecated {
				state = "deprecated"
			}
			if p.Experimental {
				state += "experimental"
			}
			warn(4, "Configuration property %s is %s: %s", p.Name, state, p.Notice)
		}
		if p.Role == ConsumerRole {
			warn(4, "Configuration property %s is a consumer property and will be ignored by this producer instance", p.Name)
		}
	}
	limit := c.number("retry.backoff.max.ms")
	for _, name := range []string{"retry.backoff.ms", "topic.metadata.refresh.fast.interval.ms"} {
		v := c.global(name)
		if v.number > limit && (name == "retry.backoff.ms" || v.modified) {
			warn(4, "Configuration `%s` with value %d is greater than configuration `retry.backoff.max.ms` with value %d. "+
				"A static backoff with value `retry.backoff.max.ms` will be applied.", name, v.number, limit)
		}
	}
	mechanism := c.text("sasl.mechanisms")
	if c.modified("sasl.mechanisms") && !c.usesSASL() {
		warn(4, "Configuration property `sasl.mechanism` set to `%s` but `security.protocol` is not configured for SASL: "+
			"recommend setting `security.protocol` to SASL_SSL or SASL_PLAINTEXT", mechanism)
	}
	if c.modified("sasl.username") && mechanism != "PLAIN" && !strings.HasPrefix(mechanism, "SCRAM") {
		warn(4, "Configuration property `sasl.username` only applies when `sasl.mechanism` is set to PLAIN or SCRAM-SHA-..")
	}
	// librdkafka counts its stand-in for a transaction coordinator as a broker, and its mock brokers.
	if brokers == 0 && !c.present("transactional.id") && c.number("test.mock.num.brokers") == 0 {
		warn(5, "No `bootstrap.servers` configured: client will not be able to connect to Kafka cluster")
	}
	return append(all, c.noEffects()...)
}

// noEffects returns one line for each property that was given a value of its own and has no effect
// here. Properties that librdkafka's own warnings name are left out.
func (c *Conf) noEffects() []Warning {
	var all []Warning
	fresh := New()
	for i := range properties {
		p := &properties[i]
		if !c.values[i].modified || p.Role == ConsumerRole || p.How != NotHonoured && p.How != NothingToDo {
			continue
		}
		if p.Deprecated && !p.Experimental {
			continue
		}
		text, _ := c.print(i)
		if usual, _ := fresh.print(i); text == usual {
			continue
		}
		all = append(all, Warning{
			Level: 4, Facility: noEffect,
			Text: fmt.Sprintf("Configuration property %s has no effect here: %s", p.Name, p.Why),
		})
	}
	return all
}
