package smtpdconf

import (
	"os"
	"regexp"
)

// The host replaces ${NAME} and ${NAME:DEFAULT} in a scalar with the tag !Env, when it was started with
// --config-env-substitution.
const envTag = "!Env"

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}`)

// expand replaces the variables of a text from the environment of this process. missing is the name of the first
// that is not set and has no default.
func expand(text string) (expanded, missing string) {
	expanded = variable.ReplaceAllStringFunc(text, func(found string) string {
		m := variable.FindStringSubmatch(found)
		if value, ok := os.LookupEnv(m[1]); ok {
			return value
		}
		if len(found) == len("${}")+len(m[1]) && missing == "" {
			missing = m[1]
		}
		return m[2]
	})
	return expanded, missing
}

// Env returns the scalars of the plugin's configuration that have the tag !Env, and what is wrong with those whose variable is
// not set here and has no default.
func (p *Plugin) Env() (tagged []*Node, unset Errors) {
	p.Walk(func(n *Node, at []any) {
		if n.Env {
			tagged = append(tagged, n)
		}
		if n.Unset != "" {
			unset = append(unset, p.Errorf(n, at, "the environment variable %s is not set here and has no default: "+
				"set it as the mail server has it, or write ${%s:DEFAULT}", n.Unset, n.Unset))
		}
	})
	return tagged, unset
}
