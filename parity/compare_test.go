package parity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// These tests are about the comparison itself: it must see what differs, and what no longer does.

func TestCompareSeesEveryKindOfDifference(t *testing.T) {
	baseline := []shown{{"start", "starts"}, {"call", "[]"}, {"only there", "x"}}
	ours := []shown{{"start", "starts"}, {"call", "-184 Local: Queue full"}, {"only here", "y\tz\n"}}
	want := []difference{
		{scenario: "s", step: "call", librdkafka: "[]", here: "-184 Local: Queue full"},
		{scenario: "s", step: "only there", librdkafka: "x"},
		{scenario: "s", step: "only here", here: `y\tz\n`},
	}
	if diff := cmp.Diff(want, compare("s", baseline, ours), cmp.AllowUnexported(difference{})); diff != "" {
		t.Error(diff)
	}
}

func TestMergeNamesTheFormThatDiffersAlone(t *testing.T) {
	both := difference{scenario: "s", step: "a", librdkafka: "1", here: "2"}
	bare := difference{scenario: "s", step: "b", librdkafka: "1", here: "2"}
	headed := difference{scenario: "s", step: "b", librdkafka: "1", here: "3"}
	var got []string
	for _, d := range merge([]difference{both, headed}, []difference{both, bare}) {
		got = append(got, d.scenario+"/"+d.step)
	}
	want := []string{"s/a", "s" + onlyWithout + "/b", "s" + onlyWith + "/b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSettleIsContentOnlyWithWhatIsExplainedAndStillTrue(t *testing.T) {
	seen := difference{scenario: "s", step: "a", librdkafka: "1", here: "2"}
	row := func(here, reason string) difference {
		return difference{scenario: "s", step: "a", librdkafka: "1", here: here, reason: reason}
	}
	for _, c := range []struct {
		name  string
		found []difference
		rows  []difference
		wrong string // the start of the one sentence; empty: none
	}{
		{"explained", []difference{seen}, []difference{row("2", "because")}, ""},
		{"nothing differs", nil, nil, ""},
		{"no row", []difference{seen}, nil, `step "a": a difference that`},
		{"a row without a reason", []difference{seen}, []difference{row("2", unexplained)}, `step "a": the row in differences.tsv has no reason`},
		{"a row that says something else", []difference{seen}, []difference{row("3", "because")}, `step "a": the row in differences.tsv says`},
		{"a row that is stale", nil, []difference{row("2", "because")}, `step "a": the row in differences.tsv can go`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, wrong := compareRows(c.found, c.rows)
			switch {
			case c.wrong == "" && len(wrong) > 0:
				t.Errorf("not content: %q", wrong)
			case c.wrong != "" && (len(wrong) != 1 || !strings.HasPrefix(wrong[0], c.wrong)):
				t.Errorf("said %q, want one sentence that starts with %q", wrong, c.wrong)
			}
		})
	}
}

func TestReadDifferencesRefusesWhatSaysNothing(t *testing.T) {
	good := "s\ta\t1\t2\tbecause"
	for name, lines := range map[string]string{
		"four cells":            "s\ta\t1\t2",
		"no reason":             "s\ta\t1\t2\t",
		"no scenario":           "\ta\t1\t2\tbecause",
		"both the same":         "s\ta\t1\t1\tbecause",
		"two rows for one step": good + "\n" + good,
	} {
		path := filepath.Join(t.TempDir(), "t.tsv")
		if err := os.WriteFile(path, []byte(columns+"\n"+lines+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if rows, err := readDifferences(path); err == nil {
			t.Errorf("%s: read as %v", name, rows)
		}
	}
	path := filepath.Join(t.TempDir(), "t.tsv")
	want := []difference{{"s", "a", "1", "", "because"}}
	if err := writeDifferences(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := readDifferences(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(difference{})); diff != "" {
		t.Error(diff)
	}
}
