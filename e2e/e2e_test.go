package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// under is what the scripts run against; TestMain sets it once, before any test.
var under struct {
	broker string // embedded or kafka
	bin    string // folder with hslrun, first on the scripts' path
	pool   *apachePool
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run is TestMain with deferred ends: os.Exit would skip them and leave brokers and folders behind.
func run(m *testing.M) int {
	under.broker = os.Getenv("E2E_BROKER")
	switch under.broker {
	case "":
		under.broker = embedded
	case embedded, apache:
	default:
		fmt.Fprintf(os.Stderr, "E2E_BROKER=%s: use %s or %s\n", under.broker, embedded, apache)
		return 2
	}
	folder, err := os.MkdirTemp("", "e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(folder)
	if under.bin, err = buildPrograms(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	under.pool = new(apachePool)
	defer under.pool.close()
	return m.Run()
}

func TestScripts(t *testing.T) {
	if under.broker == apache {
		under.pool.require(t)
	}
	testscript.Run(t, params(filepath.Join("testdata", "script")))
}

// params are those of the scripts in a folder.
func params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup:               setup,
		Condition: func(name string) (bool, error) {
			switch name {
			case embedded, apache:
				return name == under.broker, nil
			case "disk":
				return mayMount(), nil
			}
			return false, fmt.Errorf("unknown condition [%s]: use [%s], [%s] or [disk]", name, embedded, apache)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"kafka":    kafkaCommand,
			"records":  recordsCommand,
			"await":    awaitCommand,
			"within":   withinCommand,
			"tmpfs":    tmpfsCommand,
			"address":  addressCommand,
			"terminal": terminalCommand,
		},
	}
}

// scene is what one script has at hand beside its files.
type scene struct {
	broker broker // nil until `kafka start`
	down   bool
	calm   func() int // ends the storm, and says how often it cut; nil without one

	terminal *terminal // nil without one
}

type sceneKey struct{}

func setup(env *testscript.Env) error {
	s := new(scene)
	env.Values[sceneKey{}] = s
	env.Setenv("HSLRUN_CONTROL", filepath.Join(env.WorkDir, "control"))
	env.Setenv("PATH", under.bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Defer(func() {
		if s.broker == nil {
			return
		}
		if s.calm != nil {
			s.calm()
		}
		if err := s.broker.release(); err != nil {
			env.T().Log("put the broker back:", err)
		}
	})
	return nil
}

func sceneOf(ts *testscript.TestScript) *scene {
	return ts.Value(sceneKey{}).(*scene)
}
