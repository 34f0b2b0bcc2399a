package producer

import (
	"fmt"

	"github.com/halon-extras/kafka/internal/client"
	"github.com/halon-extras/kafka/internal/logsink"
	"github.com/halon-extras/kafka/internal/resperr"
)

// An identity is the producer id that brokers know the queue by. Epochs are the partitions' own: a new one fences the old one on one
// partition only.
type identity struct {
	id     int64 // -1: none
	epoch  int16
	asking bool
}

// identify gives part the queue's producer id, or asks for one.
func (p *Producer) identify(part *partition) {
	i := &p.sender.ids
	if len(part.inFlight) > 0 || part.idle() || part.state == pausing {
		return
	}
	if i.id == part.usedUp { // a broker takes no older epoch of the same
		i.id = -1
	}
	if i.id >= 0 {
		part.identify(i.id, i.epoch)
		p.drop(part)
		return
	}
	if !i.asking {
		i.asking = true
		p.client.AskProducerID()
	}
}

// newIdentity lets part, whose broker does not take the id refused, go on with another one.
func (p *Producer) newIdentity(part *partition, refused int64) {
	if p.sender.ids.id == refused {
		p.sender.ids.id = -1
	}
	part.producerID = -1
	part.restart()
}

// identified takes the answer to the question for an id.
func (p *Producer) identified(e *client.Event, now mono) {
	i := &p.sender.ids
	i.asking = false
	if code := resperr.Code(e.Code); code != resperr.NoError {
		p.clientLog.say(logsink.Err, "GETPID", groupLogin, fmt.Sprintf("no producer id: %s: look at the rights of the queue, or set enable.idempotence=false", code.Error()), errnoAttr(code))
		for _, t := range p.sender.active {
			if p.store == nil {
				p.failWaiting(t, code)
				continue
			}
			for _, part := range t.send.partitions {
				if part.producerID < 0 && !part.idle() {
					p.pause(part, lookEvery, now) // its end asks again
				}
			}
		}
		return
	}
	i.id, i.epoch = e.ID, e.Epoch
	p.enlistAll()
}

// enlistAll lists whatever can be sent.
func (p *Producer) enlistAll() {
	for _, t := range p.sender.active {
		for _, part := range t.send.partitions {
			p.enlist(part)
		}
	}
}
