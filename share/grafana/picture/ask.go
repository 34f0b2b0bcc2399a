package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// A board is the dashboard with what Prometheus answered.
type board struct {
	Title  string
	Panels []*panel
}

type panel struct {
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Targets     []*struct{ Expr, LegendFormat string }
	FieldConfig struct{ Defaults json.RawMessage }
	Series      []series
}

type series struct {
	Name   string
	Points [][2]float64 // seconds since 1970, value
}

// ask asks for all panels over a time.
func ask(server string, from, to time.Time) (*board, error) {
	text, err := os.ReadFile("share/grafana/kafka.json")
	if err != nil {
		return nil, err
	}
	b := new(board)
	if err := json.Unmarshal(text, b); err != nil {
		return nil, err
	}
	for _, p := range b.Panels {
		for _, t := range p.Targets {
			if err := p.ask(server, t.Expr, t.LegendFormat, from, to); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Title, err)
			}
		}
	}
	return b, nil
}

func (p *panel) ask(server, expr, legend string, from, to time.Time) error {
	expr = strings.NewReplacer("$instance", ".*", "$queue", ".*", "$__rate_interval", "10s").Replace(expr)
	second := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	response, err := http.PostForm("http://"+server+"/api/v1/query_range", url.Values{"query": {expr}, "start": {second(from)}, "end": {second(to)}, "step": {"1"}})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return fmt.Errorf("%s", answer.Error)
	}
	for _, r := range answer.Data.Result {
		s := series{Name: legend}
		for name, value := range r.Metric {
			s.Name = strings.ReplaceAll(s.Name, "{{"+name+"}}", value)
		}
		for _, v := range r.Values {
			n, err := strconv.ParseFloat(v[1].(string), 64)
			if err == nil && !math.IsNaN(n) && !math.IsInf(n, 0) {
				s.Points = append(s.Points, [2]float64{v[0].(float64), n})
			}
		}
		p.Series = append(p.Series, s)
	}
	return nil
}
