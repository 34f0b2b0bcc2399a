// Package blocks reads what the pages of the project show: blocks, fenced or indented, and commands in the text. Tests run them.
package blocks

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A Kind is what a block is.
type Kind string

// The kinds. A sample is all else: what a program prints, a formula, a drawing.
const (
	YAML   Kind = "yaml"
	HSL    Kind = "hsl"
	Shell  Kind = "shell"
	Sample Kind = "sample"
)

// A Block is one of a page.
type Block struct {
	Page string // its path below the root of the project
	Line int
	Kind Kind
	Text string
}

// A Command is a command line of a page: a line of a block, or a span of code in the text.
type Command struct {
	Page string
	Line int
	Text string
}

// Pages are the paths of all pages below root.
func Pages(root string) ([]string, error) {
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "bench/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			page, err := filepath.Rel(root, name)
			if err != nil {
				return nil, err
			}
			if page != "CHANGELOG.md" { // it is about versions that were
				all = append(all, page)
			}
		}
	}
	return all, nil
}

// programs begin a command line.
var programs = regexp.MustCompile(`^(?:[A-Z_]+=\S+ )*(?:/opt/halon/bin/)?(halon-kafka|halonctl|build/hslrun|hslrun|make|go|apt-get|dnf|systemctl|install|sudo|dpkg|curl|promtool|journalctl|kill|docker) \S`)

// code is a span of code in the text.
var code = regexp.MustCompile("`([^`]+)`")

// Read returns the blocks and the commands of a page.
func Read(root, page string) (blocks []Block, commands []Command, err error) {
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		return nil, nil, err
	}
	lines := strings.Split(string(text), "\n")
	add := func(line int, kind Kind, body []string) {
		b := Block{page, line + 1, kind, dedent(body)}
		if b.Kind == "" {
			b.Kind = kindOf(b.Text)
		}
		blocks = append(blocks, b)
		if b.Kind != Shell {
			return
		}
		for i, l := range strings.Split(strings.TrimRight(b.Text, "\n"), "\n") {
			for _, c := range strings.Split(strings.Replace(l, "# or: ", "# ", 1), "#") {
				c, _, _ = strings.Cut(strings.TrimSpace(c), "  ") // what follows is an explanation
				if programs.MatchString(c) {
					commands = append(commands, Command{page, line + 1 + i, c})
				}
			}
		}
	}
	for i := 0; i < len(lines); i++ {
		trimmed := strings.TrimSpace(lines[i])
		switch {
		case strings.HasPrefix(trimmed, "```"):
			begin := i + 1
			for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "```"; i++ {
			}
			kind := map[string]Kind{"yaml": YAML, "yml": YAML, "hsl": HSL, "sh": Shell, "shell": Shell, "bash": Shell, "console": Shell}[strings.TrimPrefix(trimmed, "```")]
			add(begin, kind, lines[begin:min(i, len(lines))])
		case strings.HasPrefix(lines[i], "    ") && (i == 0 || strings.TrimSpace(lines[i-1]) == ""):
			begin, end := i, i
			for ; i < len(lines) && (strings.TrimSpace(lines[i]) == "" || strings.HasPrefix(lines[i], "    ")); i++ {
				if strings.TrimSpace(lines[i]) != "" {
					end = i
				}
			}
			i = end
			add(begin, "", lines[begin:end+1])
		default:
			for _, m := range code.FindAllStringSubmatch(lines[i], -1) {
				if programs.MatchString(m[1]) {
					commands = append(commands, Command{page, i + 1, m[1]})
				}
			}
		}
	}
	return blocks, commands, nil
}

// dedent takes off the margin that all lines have.
func dedent(lines []string) string {
	margin := -1
	for _, l := range lines {
		if own := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (margin < 0 || own < margin) {
			margin = own
		}
	}
	var b strings.Builder
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			b.WriteString(l[margin:])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// kindOf tells a block that does not say what it is. One with a command in it is of commands.
func kindOf(text string) Kind {
	for l := range strings.Lines(text) {
		switch {
		case programs.MatchString(l):
			return Shell
		case strings.HasPrefix(l, "import {"), strings.HasPrefix(l, "$"):
			return HSL
		case strings.HasPrefix(l, "plugins:"), strings.HasPrefix(l, "monitor:"), strings.HasPrefix(l, "queues:"):
			return YAML
		}
	}
	return Sample
}
