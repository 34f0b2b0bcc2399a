package packaging

import (
	"bytes"
	"debug/elf"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testLibrary reads the packaged kafka.so as the host's dynamic linker does.
func testLibrary(t *testing.T, deb string) {
	library, err := elf.NewFile(bytes.NewReader(debFiles(t, deb)["/opt/halon/plugins/kafka.so"].content))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := library.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var defined []string
	for _, s := range symbols {
		switch {
		case s.Section != elf.SHN_UNDEF:
			defined = append(defined, s.Name)
		case s.Library == "" && elf.ST_BIND(s.Info) != elf.STB_WEAK && !strings.HasPrefix(s.Name, "HalonMTA_"):
			// Undefined symbols are allowed at link time for the host's sake, so that a typing error would pass.
			t.Errorf("the symbol %s is in no library and is none of the host's", s.Name)
		}
	}
	slices.Sort(defined)
	if diff := cmp.Diff(golden(t, "symbols.txt"), defined); diff != "" {
		t.Errorf("exported symbols (-testdata/symbols.txt +kafka.so):\n%s", diff)
	}

	needed, err := library.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range needed {
		if !slices.Contains([]string{"libc.so.6", "libpthread.so.0", "libdl.so.2", "libresolv.so.2"}, name) {
			t.Errorf("kafka.so needs %s: it must load wherever the C library is", name)
		}
	}

	// The host's symbols are bound at their first call; bound at load, the plugin would not load in a host
	// that lacks one it never calls.
	for tag, flag := range map[elf.DynTag]uint64{
		elf.DT_FLAGS:   uint64(elf.DF_BIND_NOW),
		elf.DT_FLAGS_1: uint64(elf.DF_1_NOW),
	} {
		values, err := library.DynValue(tag)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if v&flag != 0 {
				t.Errorf("kafka.so is bound at load: %v has %#x", tag, v)
			}
		}
	}
	if now, err := library.DynValue(elf.DT_BIND_NOW); err != nil || len(now) != 0 {
		t.Errorf("kafka.so is bound at load: DT_BIND_NOW %v, %v", now, err)
	}
}
