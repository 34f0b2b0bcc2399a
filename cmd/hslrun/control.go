package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"sync"
)

// A control answers "halonctl plugin command" on a socket while the scripts run, as smtpd does on its own. A connection is one
// command: a JSON list of its arguments, and the answer {"ok":true,"out":"text"}. It is for tests; see e2e/halonctl.
type control struct {
	listener net.Listener
	open     sync.WaitGroup
}

// answered is the answer to one command.
type answered struct {
	OK  bool   `json:"ok"`
	Out string `json:"out"`
}

// listen begins to answer at path, which is removed first: a run that was killed has left it.
func (s *stage) listen(path string) (*control, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	c := &control{listener: listener}
	c.open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.open.Go(func() { s.answer(conn) })
		}
	})
	return c, nil
}

func (s *stage) answer(conn net.Conn) {
	defer conn.Close()
	var args []string
	if json.NewDecoder(conn).Decode(&args) != nil {
		return // who asked has gone
	}
	out, ok := s.host.Command(args)
	_ = json.NewEncoder(conn).Encode(answered{ok, string(out)})
}

// close waits for the answers that are being given.
func (c *control) close() {
	if c != nil {
		c.listener.Close()
		c.open.Wait()
	}
}
