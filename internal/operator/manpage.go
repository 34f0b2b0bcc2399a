package operator

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/halon-extras/kafka/internal/admin"
)

const manpageHelp = `usage: halon-kafka manpage

Prints the manual page of halon-kafka, for man. The packages install it.
`

const completionHelp = `usage: halon-kafka completion bash

Prints the completion of commands, flags and property names for bash. The packages install it; elsewhere:

  source <(halon-kafka completion bash)
`

// manpage writes the page from the table of commands, so that it cannot say anything else than the help.
func manpage(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	rest, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	if len(rest) > 0 {
		return usage(t, fs.Name(), "it takes no argument, and %q was given", rest[0])
	}
	fmt.Fprintf(t.Out, `.TH HALON-KAFKA 1 "" "halon-extras-kafka" "Halon mail server"
.SH NAME
halon\-kafka \- check the configuration of the Kafka plugin and look after its spools
.SH SYNOPSIS
.B halon\-kafka
.I COMMAND
\&...
.SH DESCRIPTION
The operator's program of the Kafka producer plugin for the Halon mail server. Only top needs a running mail server.
.SH COMMANDS
`)
	for _, c := range commands() {
		fmt.Fprintf(t.Out, ".SS %s\n.nf\n%s.fi\n", c.name, roff(c.help))
	}
	fmt.Fprintf(t.Out, ".SH COMMANDS OF THE RUNNING PLUGIN\nhalonctl plugin command kafka COMMAND\n.nf\n%s.fi\n", roff(admin.Overview()))
	fmt.Fprint(t.Out, `.SH EXIT STATUS
0 fine, 1 problems were found, 2 usage or an unreadable file.
.SH FILES
.TP
.I /opt/halon/share/doc/plugins/kafka
README.md and all other documents
.TP
.I /opt/halon/share/plugins/kafka.schema.json
the schema of the plugin's configuration
`)
	return exitFine
}

// roff makes lines of text that man shows as they are.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`).Replace(text)
	return strings.ReplaceAll("\n"+text, "\n.", "\n\\&.")[1:]
}

// helpFlag is a flag of a command, as its help shows it.
var helpFlag = regexp.MustCompile(`(?m)(?:^  |\[)(--?[a-z]+)\b`)

func completion(_ context.Context, fs *flag.FlagSet, args []string, t Terminal) int {
	rest, status, ok := parse(fs, args, t)
	if !ok {
		return status
	}
	if len(rest) != 1 || rest[0] != "bash" {
		return usage(t, fs.Name(), "it needs the name of the shell, which can be bash only")
	}
	var names, cases strings.Builder
	var spool []string
	for _, c := range commands() {
		var flags []string
		for _, f := range helpFlag.FindAllStringSubmatch(c.help, -1) {
			if !slices.Contains(flags, f[1]) {
				flags = append(flags, f[1])
			}
		}
		first, second, two := strings.Cut(c.name, " ")
		if two {
			spool = append(spool, second)
		}
		if !strings.Contains(names.String(), first+" ") {
			names.WriteString(first + " ")
		}
		fmt.Fprintf(&cases, "    '%s '*) flags='%s' ;;\n", c.name, strings.Join(flags, " "))
	}
	fmt.Fprintf(t.Out, bashCompletion, cases.String(), names.String()+"help", strings.Join(spool, " "))
	return exitFine
}

// bashCompletion takes the flags of each command, the first words, and the second words of spool.
const bashCompletion = `# bash completion for halon-kafka, written by "halon-kafka completion bash"
_halon_kafka_properties() {
    "${COMP_WORDS[0]}" properties --json 2>/dev/null | grep -o '{"name":"[^"]*"' | cut -d'"' -f4
}
_halon_kafka() {
    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]} flags= IFS=$' \t\n'
    COMPREPLY=()
    case "${COMP_WORDS[*]:1:COMP_CWORD-1} " in
%s    esac
    case $COMP_CWORD,${COMP_WORDS[1]},$last in
    1,*) COMPREPLY=($(compgen -W '%s' -- "$word")) ;;
    2,spool,*) COMPREPLY=($(compgen -W '%s' -- "$word")) ;;
    2,completion,*) COMPREPLY=($(compgen -W bash -- "$word")) ;;
    *,check,-c) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")) ;;
    *,check,--set) compopt -o nospace 2>/dev/null
        COMPREPLY=($(compgen -S = -W "$(_halon_kafka_properties)" -- "$word")) ;;
    *,properties,*)
        COMPREPLY=($(compgen -W "$flags $(_halon_kafka_properties)" -- "$word")) ;;
    *)
        if [[ $word == -* ]]; then
            COMPREPLY=($(compgen -W "$flags" -- "$word"))
        elif [[ ${COMP_WORDS[1]} == spool ]]; then
            compopt -o filenames 2>/dev/null
            COMPREPLY=($(compgen -d -- "$word"))
        fi
        ;;
    esac
}
complete -F _halon_kafka halon-kafka
`
