package producer

import (
	"context"
	"fmt"

	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/report"
	"github.com/halon-extras/kafka/internal/resperr"
)

// guard runs a goroutine of the queue. A panic in it ends the queue and not the host: it is logged with its stack, every later call is
// answered with [resperr.Fatal], who waits is woken with it, and what is on disk stays there for the next start. The other
// queues go on.
//
// Running out of memory and concurrent writes to a map kill the process whatever is done here.
func (p *Producer) guard(what string, run func()) {
	logsink.Guard(run, func(fault any, stack string) {
		defer p.breakDown()
		p.log.Log(context.Background(), logsink.LevelCrit, fmt.Sprintf("%s has failed, the queue takes no more messages until the mail server is restarted: %v", what, fault),
			"stack", stack)
	})
}

// breakDown ends the queue: every call is answered with [resperr.Fatal] from now on, and who waits is woken with it.
func (p *Producer) breakDown() {
	if p.state.broken.Swap(true) {
		return
	}
	p.health.end(report.Fault)
	if p.ingress.Intake != nil {
		p.ingress.Fail(int(resperr.Fatal))
	}
	p.end()
	if p.client == nil {
		return // the queue is being opened
	}
	p.wake() // the sender sees it and ends
	go p.guard("the end of a queue that has failed", func() {
		// Apart, because who has failed may hold what these wait for.
		p.client.Close()
		p.dismissWaiters(resperr.Fatal)
		if p.store != nil {
			p.dismissStored(resperr.Fatal)
		}
		<-p.finished
		p.answerAwaits(resperr.Fatal)
	})
}

// answerAwaits wakes the calls that wait for a delivery. The sender has ended.
func (p *Producer) answerAwaits(code resperr.Code) {
	answer := func(e *entry) {
		if e.await != nil && !e.reported {
			p.resumes.answer(e.await, Delivery{Code: code})
		}
	}
	for _, t := range p.sender.active {
		t.send.each(answer)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, buf := range append(p.buffersLocked(), p.sender.current...) {
		if buf == nil {
			continue
		}
		for i := range buf.entries {
			answer(&buf.entries[i])
		}
	}
}
