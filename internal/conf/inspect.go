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
func (p *Property) SettableName() string { return p.reached() }

// Aliases returns the other names of p that can be set.
func (p *Property) Aliases() []string {
	var names []string
	for i := range properties {
		if a := &properties[i]; a.Kind == Alias && a.Scope == p.Scope && a.Alias == p.Name {
			names = append(names, a.reached())
		}
	}
	return names
}
