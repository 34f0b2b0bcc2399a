package spool

import (
	"fmt"
	"testing"
	"time"
)

func TestMomentsOfALongBacklogStayFew(t *testing.T) {
	var m moments
	for i := range 1_000_000 {
		m.note(uint64(i+1), int64(i)*1e9)
	}
	if len(m.list) > mostMoments {
		t.Errorf("%d moments", len(m.list))
	}
	for _, seq := range []uint64{1, 500_000, 1_000_000} {
		at := m.of(seq)
		if age := int64(seq-1)*1e9 - at; age < 0 || age > m.least*2 {
			t.Errorf("record %d: %s too old, with %s between two", seq, fmt.Sprint(time.Duration(age)), time.Duration(m.least))
		}
	}
}
