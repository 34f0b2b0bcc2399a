package main

import (
	"net"
	"sync"
	"time"
)

// proxy stands before the broker.
type proxy struct {
	listener net.Listener
	target   string
	hit      *tally

	mu      sync.Mutex
	deaf    bool              // answers are swallowed; guarded by mu
	kept    int               // how often one was since deaf began; guarded by mu
	conns   map[net.Conn]bool // of both sides; guarded by mu
	swallow func(after, d time.Duration)
}

func newProxy(hit *tally) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p := &proxy{listener: l, hit: hit, conns: map[net.Conn]bool{}}
	p.swallow = func(after, d time.Duration) {
		time.AfterFunc(after, func() { p.set(true) })
		time.AfterFunc(after+d, func() { p.set(false) })
	}
	return p, err
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// set begins to swallow answers, or ends it and every connection.
func (p *proxy) set(deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf && !deaf {
		for c := range p.conns {
			_ = c.Close()
		}
		if p.kept > 0 {
			p.hit.add(answersSwallowed)
		}
		p.kept = 0
	}
	p.deaf = deaf
}

func (p *proxy) serve() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		p.conns[near], p.conns[far] = true, true
		p.mu.Unlock()
		go p.carry(near, far, false)
		go p.carry(far, near, true)
	}
}

// carry copies until one side ends. Bytes of a host that is gone still reach the broker.
func (p *proxy) carry(from, to net.Conn, answers bool) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		p.mu.Lock()
		deaf := p.deaf
		if n > 0 && answers && deaf {
			p.kept++
		}
		p.mu.Unlock()
		if n > 0 && (!answers || !deaf) {
			if _, werr := to.Write(b[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			p.mu.Lock()
			delete(p.conns, from)
			p.mu.Unlock()
			return
		}
	}
}
