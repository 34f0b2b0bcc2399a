package operator

import (
	"fmt"
	"os"
	"strings"
	"testing"
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
