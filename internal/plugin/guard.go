package plugin

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/halon-extras/kafka/internal/logsink"
)

// guard runs a goroutine of the plugin. A panic that left it would end the mail server: it is logged with its stack, and what the goroutine
// has deferred is done.
func (p *Plugin) guard(what string, run func()) {
	defer func() {
		if fault := recover(); fault != nil {
			p.log.Log(context.Background(), logsink.LevelCrit, fmt.Sprintf("internal error in %s, please report it: %v", what, fault), "stack", string(debug.Stack()))
		}
	}()
	run()
}
