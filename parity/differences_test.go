package parity

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// table is the file of the differences that stay.
const table = "differences.tsv"

// columns is its first line.
const columns = "scenario\tstep\tlibrdkafka\there\treason"

// unexplained is the reason that -update writes for a difference that has none yet. It fails the tests.
const unexplained = "?"

// fault marks the reason of a difference that is to go away.
const fault = "FAULT: "

// A difference is one row: at that step librdkafka shows one thing and kafka.so another.
type difference struct {
	scenario, step   string
	librdkafka, here string
	reason           string
}

func (d difference) same(other difference) bool {
	d.reason = other.reason
	return d == other
}

// In the table's scenario column, a scenario that differs in one of its two forms only.
const (
	onlyWith    = ", with headers only"
	onlyWithout = ", without headers only"
)

// readDifferences reads the table. A row that says nothing, or nothing new, is an error.
func readDifferences(path string) ([]difference, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	if lines[0] != columns {
		return nil, fmt.Errorf("%s: the first line is %q, not %q", path, lines[0], columns)
	}
	var rows []difference
	seen := make(map[[2]string]bool)
	for i, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 5 || slices.Contains(cells[:2], "") || cells[4] == "" {
			return nil, fmt.Errorf("%s:%d: a row is five cells, and only librdkafka's and ours may be empty", path, i+2)
		}
		d := difference{cells[0], cells[1], cells[2], cells[3], cells[4]}
		switch at := [2]string{d.scenario, d.step}; {
		case d.librdkafka == d.here:
			return nil, fmt.Errorf("%s:%d: both do the same", path, i+2)
		case seen[at]:
			return nil, fmt.Errorf("%s:%d: another row is about this step", path, i+2)
		default:
			seen[at] = true
		}
		rows = append(rows, d)
	}
	return rows, nil
}

func writeDifferences(path string, rows []difference) error {
	lines := []string{columns}
	for _, d := range rows {
		lines = append(lines, strings.Join([]string{d.scenario, d.step, d.librdkafka, d.here, d.reason}, "\t"))
	}
	return os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644)
}

// compare returns where two runs of the same plan differ, in the order of its steps.
func compare(name string, baseline, ours []shown) []difference {
	var found []difference
	texts := make(map[string]string)
	for _, s := range ours {
		texts[s.step] = s.text
	}
	for _, s := range baseline {
		if text := texts[s.step]; text != s.text {
			found = append(found, difference{scenario: name, step: s.step, librdkafka: oneLine(s.text), here: oneLine(text)})
		}
		delete(texts, s.step)
	}
	for _, s := range ours {
		if text, ok := texts[s.step]; ok {
			found = append(found, difference{scenario: name, step: s.step, here: oneLine(text)})
		}
	}
	return found
}

// oneLine keeps a text from breaking the table.
func oneLine(text string) string {
	return strings.NewReplacer("\t", `\t`, "\n", `\n`).Replace(text)
}

// merge puts the differences of the two forms of a scenario together: what both show is one row.
func merge(with, without []difference) []difference {
	var rows []difference
	for _, d := range without {
		if !slices.ContainsFunc(with, d.same) {
			d.scenario += onlyWithout
		}
		rows = append(rows, d)
	}
	for _, d := range with {
		if !slices.ContainsFunc(without, d.same) {
			d.scenario += onlyWith
			rows = append(rows, d)
		}
	}
	return rows
}

// compareRows holds what was found in one scenario against the rows about it. It returns the rows as they should be, and a sentence
// for each thing that is not.
func compareRows(found, rows []difference) (right []difference, wrong []string) {
	for _, d := range found {
		i := slices.IndexFunc(rows, func(row difference) bool { return row.scenario == d.scenario && row.step == d.step })
		d.reason = unexplained
		if i >= 0 {
			d.reason = rows[i].reason
		}
		switch {
		case i < 0:
			wrong = append(wrong, fmt.Sprintf("step %q: a difference that %s does not have:\n\tlibrdkafka: %s\n\there:       %s",
				d.step, table, d.librdkafka, d.here))
		case !rows[i].same(d):
			wrong = append(wrong, fmt.Sprintf("step %q: the row in %s says\n\tlibrdkafka: %s\n\there:       %s\nand seen was\n\tlibrdkafka: %s\n\there:       %s",
				d.step, table, rows[i].librdkafka, rows[i].here, d.librdkafka, d.here))
		case d.reason == unexplained:
			wrong = append(wrong, fmt.Sprintf("step %q: the row in %s has no reason", d.step, table))
		}
		right = append(right, d)
	}
	for _, row := range rows {
		if !slices.ContainsFunc(found, func(d difference) bool { return row.scenario == d.scenario && row.step == d.step }) {
			wrong = append(wrong, fmt.Sprintf("step %q: the row in %s can go, both do the same now", row.step, table))
		}
	}
	return right, wrong
}
