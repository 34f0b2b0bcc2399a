package conf

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// Source is where the value of a property is kept instead of in the configuration: exactly one of
// its fields is set.
type Source struct {
	File string // a file that holds the value, and nothing else but a newline at its end
	Env  string // a variable of the process's environment
}

// String returns the source as messages name it.
func (s Source) String() string {
	if s.File != "" {
		return "the file " + s.File
	}
	return "the environment variable " + s.Env
}

// largestSecret is more than a key or a chain of certificates has.
const largestSecret = 1 << 20

// read returns the present value. Its errors name the source and never what is in it.
func (s Source) read() (string, error) {
	var text string
	if s.File != "" {
		info, err := os.Stat(s.File)
		if err == nil && info.Size() > largestSecret {
			return "", fmt.Errorf("%s has %d bytes, more than the %d that a secret may have", s, info.Size(), largestSecret)
		}
		data, err := readFile(s.File)
		if err != nil {
			return "", fmt.Errorf("%s cannot be read: %w", s, Cause(err))
		}
		text = string(data)
	} else {
		var set bool
		if text, set = os.LookupEnv(s.Env); !set {
			return "", fmt.Errorf("%s is not set", s)
		}
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case text == "":
		return "", fmt.Errorf("%s is empty", s)
	case strings.ContainsRune(text, 0):
		return "", fmt.Errorf("%s has a NUL byte, and a property ends at the first", s)
	}
	return text, nil
}

// Cause returns err without the operation and the name, for a message that has them already.
func Cause(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}

// secrets are the properties of one configuration that are kept elsewhere.
type secrets struct {
	sources map[string]Source // by the property's own name; does not change after Finalize

	mu   sync.Mutex
	last map[string]string // what was read last; guarded by mu
}

// alsoSecret are properties that may be kept as a secret beside those that must never be shown: none
// of their values is ever part of a message.
var alsoSecret = []string{
	"sasl.username", "sasl.oauthbearer.client.id", "ssl.ca.pem", "ssl.certificate.pem", "https.ca.pem",
}

// MayBeSecret reports whether [Conf.SetSecret] takes the property.
func (p *Property) MayBeSecret() bool { return p.Secret || slices.Contains(alsoSecret, p.Name) }

// SetSecret gives the property name the value that source holds now, and lets connections and logins
// read it there again. It is for the time after the last [Conf.Set].
//
// The error is one sentence that names the property and the source, and never the value: an unknown
// property, one that is no secret, one that has a value already, or a source that cannot be read.
// SetSecret reads a file, and blocks on nothing else.
func (c *Conf) SetSecret(name string, source Source) error {
	i := resolve(name)
	if i < 0 {
		return fmt.Errorf("secrets: %s: there is no such property", name)
	}
	p := &properties[i]
	switch {
	case !p.MayBeSecret():
		return fmt.Errorf("secrets: %s: this property is no secret, write it into config", name)
	case (source.File == "") == (source.Env == ""):
		return fmt.Errorf("secrets: %s: it takes exactly one of {file: PATH} and {env: NAME}", name)
	case c.secrets.sources[p.Name] != Source{}:
		return fmt.Errorf("secrets: %s: it is there twice, leave one out", name)
	case c.values[i].modified:
		return fmt.Errorf("secrets: %s: it is in config too, leave one out", name)
	}
	text, err := source.read()
	if err != nil {
		return fmt.Errorf("secrets: %s: %w", name, err)
	}
	if p.Kind == String {
		text = trimLeftSpace(text)
	}
	if c.set(i, text) != nil { // whose error may have the value
		return fmt.Errorf("secrets: %s: the property does not take what is in %s", name, source)
	}
	c.secrets.sources[p.Name], c.secrets.last[p.Name] = source, text
	return nil
}

// get returns the present value of a property that is kept elsewhere. While the source cannot be
// read, because it is just being replaced, that is the last one.
func (s *secrets) get(property string) (text string, ok bool) {
	source, ok := s.sources[property]
	if !ok {
		return "", false
	}
	text, err := source.read()
	if p, known := Lookup(property); known && p.Kind == String {
		text = trimLeftSpace(text) // as when it was set
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return s.last[property], true
	}
	s.last[property] = text
	return text, true
}

// Hidden reports whether the value of a property must not be shown: it is a secret by nature, or is
// kept as one.
func (s *Settings) Hidden(name string) bool {
	p, ok := Lookup(name)
	if !ok || p.Secret {
		return ok
	}
	_, kept := s.conf.secrets.sources[p.Name]
	return kept
}
