package conf

// What follows is for those who show a configuration to an operator instead of running it.

// Warnings returns what [Conf.Finalize] warns about, and also what log_level and log.queue then keep out of
// the log. There are none for a configuration that Finalize refuses. It leaves c as it is and reads the files
// that the TLS properties name.
func (c *Conf) Warnings() []Warning {
	loud := c.clone()
	loud.global("log_level").number = 7
	loud.global("log.queue").number = 0
	_, warnings, _ := loud.Finalize(1)
	return warnings
}

// NoEffect reports whether w is one of the lines that librdkafka does not have: a property was set and
// does nothing here.
func (w Warning) NoEffect() bool { return w.Facility == noEffect }

// Takes returns what p accepts, as the manual has it: its kind with the range or the words, in Markdown.
func (p *Property) Takes() string { return p.effective().kindText() }

// SettableName returns the name under which p can be set: with "topic." before it where another property of
// the same name would be found first.
func (p *Property) SettableName() string {
	if p.Scope == TopicScope && find(GlobalScope, p.Name) >= 0 {
		return topicPrefix + p.Name
	}
	return p.Name
}

// Aliases returns the other names of p that can be set.
func (p *Property) Aliases() []string {
	var names []string
	for i := range properties {
		if a := &properties[i]; a.Kind == Alias && a.Scope == p.Scope && a.Alias == p.Name {
			names = append(names, a.SettableName())
		}
	}
	return names
}

// Origin says where an effective value comes from.
type Origin string

// The origins.
const (
	FromConfig  Origin = "config"  // the queue's config
	FromSecrets Origin = "secrets" // the queue's secrets
	Derived     Origin = "derived" // from other properties, as librdkafka does
	Default     Origin = "default"
)

// An Effective is the value that counts for one property.
type Effective struct {
	Name   string
	Also   []string // its other names
	Value  string   // "" where it is hidden
	Set    bool     // it has a value
	Hidden bool     // it has one that must not be shown
	Origin Origin
	Source string // of FromSecrets: the file or the variable
}

// Effective returns all properties of a producer that can be set, in librdkafka's order, with the values that count now.
func (s *Settings) Effective() []Effective {
	var all []Effective
	c, fresh := s.conf, New()
	for i := range properties {
		p := &properties[i]
		switch p.Kind {
		case Alias, Pointer, Internal, Java:
			continue
		}
		if (p.Role == ConsumerRole || p.Hidden) && !c.values[i].modified {
			continue
		}
		e := Effective{Name: p.SettableName(), Also: p.Aliases(), Origin: Default}
		e.Value, e.Set = c.print(i)
		usual, had := fresh.print(i)
		switch {
		case c.secrets.sources[p.Name] != Source{}:
			e.Origin, e.Source = FromSecrets, c.secrets.sources[p.Name].String()
		case c.values[i].modified:
			e.Origin = FromConfig
		case e.Value != usual || e.Set != had:
			e.Origin = Derived
		}
		if e.Set && e.Value != "" && s.Hidden(p.SettableName()) {
			e.Value, e.Hidden = "", true
		}
		all = append(all, e)
	}
	return all
}
