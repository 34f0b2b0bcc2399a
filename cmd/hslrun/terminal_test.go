package main

import (
	"io"
	"testing"
)

func TestMessagesLostAtTheEnd(t *testing.T) {
	const crit, err = 2, 3
	for _, tt := range []struct {
		name   string
		during int // the level of a line while scripts run; 0 is none
		atEnd  int // and of one after the plugin has begun to stop
		want   bool
	}{
		{"nothing is logged", 0, 0, false},
		{"a critical line at the end", 0, crit, true},
		{"a critical line before, as of a configuration", crit, 0, false},
		{"an error at the end, as of a connection", 0, err, false},
	} {
		term := newTerminal(io.Discard, io.Discard)
		if tt.during != 0 {
			term.syslog(tt.during, "kafka: a line")
		}
		term.stopping()
		if tt.atEnd != 0 {
			term.syslog(tt.atEnd, "kafka: kafka1: terminated with 3 message(s) lost in queue")
			term.syslog(err, "kafka: another line")
		}
		if got := term.lostAny(); got != tt.want {
			t.Errorf("%s: lost is %v, want %v", tt.name, got, tt.want)
		}
	}
}
