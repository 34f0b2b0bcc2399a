package packaging

import (
	"bytes"
	"debug/elf"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// glibc is that of the oldest system that the packages are for. They name it as a dependency.
var glibc = []int{2, 28}

// mostBytes is the size that kafka.so may have.
const mostBytes = 12_000_000

// testLibrary reads the packaged kafka.so as the host's dynamic linker does, and halon-kafka, which must need none.
func testLibrary(t *testing.T, deb string) {
	files := debFiles(t, deb)
	program, err := elf.NewFile(bytes.NewReader(files["/opt/halon/bin/halon-kafka"].content))
	if err != nil {
		t.Fatal(err)
	}
	if imported, err := program.ImportedSymbols(); !errors.Is(err, elf.ErrNoSymbols) {
		t.Errorf("halon-kafka needs a C library: %v, %v", imported, err)
	}
	content := files["/opt/halon/plugins/kafka.so"].content
	if len(content) > mostBytes {
		t.Errorf("kafka.so has %d bytes, want at most %d", len(content), mostBytes)
	}
	library, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := library.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	var defined []string
	for _, s := range symbols {
		if version, ok := strings.CutPrefix(s.Version, "GLIBC_"); ok && s.Section == elf.SHN_UNDEF && slices.Compare(numbers(t, version), glibc) > 0 {
			t.Errorf("%s is needed as of glibc %s, and the packages are for %v", s.Name, version, glibc)
		}
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

// numbers reads a version such as 2.28.
func numbers(t *testing.T, version string) []int {
	t.Helper()
	var list []int
	for _, part := range strings.Split(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			t.Fatalf("the version %q: %v", version, err)
		}
		list = append(list, n)
	}
	return list
}
