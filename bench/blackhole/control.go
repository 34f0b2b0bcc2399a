package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
)

// serveControl opens the control address and returns it. One line in, one line out.
func serveControl(b *broker) (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for lines.Scan() {
					if _, err := io.WriteString(c, b.command(lines.Text())+"\n"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String(), nil
}

func (b *broker) command(line string) string {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch verb {
	case "stat":
		text, err := json.Marshal(b.stat())
		if err != nil {
			return "error: " + err.Error()
		}
		return string(text)
	case "mode":
		m, err := parseMode(rest)
		if err == nil {
			err = b.setMode(m)
		}
		if err != nil {
			return "error: " + err.Error()
		}
		return "ok"
	}
	return fmt.Sprintf("error: command %q: want stat or mode", verb)
}
