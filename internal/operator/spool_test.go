package operator

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestAWriterMustOwnTheFolder(t *testing.T) {
	dir := t.TempDir()
	me := os.Geteuid()
	if err := mayWriteSpool(dir, me); err != nil {
		t.Errorf("its owner: %v", err)
	}
	err := mayWriteSpool(dir, me+1)
	if err == nil || !strings.HasSuffix(err.Error(), fmt.Sprintf("run this as user %d", me)) {
		t.Errorf("somebody else: %v", err)
	}
}

func TestSizesAndAgesAreShort(t *testing.T) {
	for n, want := range map[int64]string{
		0: "no bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1.0 KiB", 64 << 20: "64.0 MiB", 10 << 30: "10.0 GiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1400 * time.Millisecond: "1s", 200 * time.Second: "3m20s", 250 * time.Minute: "4h10m", 123 * time.Hour: "5d3h",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
