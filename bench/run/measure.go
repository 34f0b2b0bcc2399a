package main

import (
	"fmt"
	"slices"
)

// row is one figure of a cell, as it is printed and written.
type row struct {
	Name      string   `json:"name"`
	Unit      string   `json:"unit"`
	Ours      *spread  `json:"ours"`     // null for the logger alone
	Baseline  *spread  `json:"baseline"` // null for wire, and where the baseline has nothing like it
	Ratio     *spread  `json:"ratio"`    // ours to the baseline's, within each pair; null where one is
	Driver    *float64 `json:"driver,omitempty"`
	WireShare *float64 `json:"wire_share,omitempty"` // of what the machine carries with such messages
	Others    float64  `json:"other_processes"`      // cores that other processes used, in the worst run
}

// spread is what several runs gave.
type spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf is nil for no values.
func spreadOf(values []float64) *spread {
	if len(values) == 0 {
		return nil
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return &spread{Median: (v[(n-1)/2] + v[n/2]) / 2, Min: v[0], Max: v[n-1]}
}

// measure runs a cell: the limit once, then the pairs, each with a run for the driver's own cost.
func (b bench) measure(c cell) ([]row, error) {
	if c.name == wireCell {
		return b.measureWire(c)
	}
	var limit float64
	if c.wire != "" {
		r, err := b.driveWire(c.wire)
		if err != nil {
			return nil, err
		}
		limit = r.PerSecond
	}
	var own []result
	var ours, baseline []run
	for range b.pairs {
		if c.own != "" {
			d, err := b.driveAlone(c.own)
			if err != nil {
				return nil, err
			}
			own = append(own, d)
		}
		if c.args != "" {
			r, err := b.drive(c, b.ours)
			if err != nil {
				return nil, err
			}
			ours = append(ours, r)
		}
		if c.logger == "" && c.beside == nil && c.alone {
			continue
		}
		r, err := b.driveBaseline(c)
		if err != nil {
			return nil, err
		}
		baseline = append(baseline, r)
	}
	rows := make([]row, 0, len(c.figures))
	for _, f := range c.figures {
		rows = append(rows, f.row(c.name, ours, baseline, own, limit))
	}
	return rows, nil
}

// driveBaseline is the other half of a pair.
func (b bench) driveBaseline(c cell) (run, error) {
	if c.logger != "" {
		return b.log(c.logger)
	}
	if c.beside != nil {
		return b.drive(*c.beside, b.ours)
	}
	return b.drive(c, b.baseline)
}

// row makes the row of a figure from the runs, which are pairs unless one side is empty.
func (f figure) row(cell string, ours, baseline []run, own []result, limit float64) row {
	r := row{Name: cell + f.suffix, Unit: f.unit}
	less := 0.0
	if f.own != nil {
		var costs []float64
		for _, d := range own {
			costs = append(costs, f.own(d))
		}
		less = spreadOf(costs).Median
		r.Driver = &less
	}
	// A figure below the driver's own is noise around nothing; a ratio to nothing would be none.
	values := func(runs []run) []float64 {
		var v []float64
		for _, x := range runs {
			v = append(v, max(f.of(x)-less, 0))
			r.Others = max(r.Others, x.others)
		}
		return v
	}
	a, o := values(ours), values(baseline)
	var ratio []float64
	for i := range min(len(a), len(o)) {
		if o[i] > 0 {
			ratio = append(ratio, a[i]/o[i])
		}
	}
	r.Ours, r.Baseline, r.Ratio = spreadOf(a), spreadOf(o), spreadOf(ratio)
	if f.limit && limit > 0 && r.Ours != nil {
		share := r.Ours.Median / limit
		r.WireShare = &share
	}
	return r
}

// measureWire fills the column of ours and leaves the others empty: it is the limit of both.
func (b bench) measureWire(c cell) ([]row, error) {
	var perSecond, cpu []float64
	others := 0.0
	for range b.pairs {
		r, err := b.driveWire(c.wire)
		if err != nil {
			return nil, fmt.Errorf("wire: %w", err)
		}
		perSecond, cpu = append(perSecond, r.PerSecond), append(cpu, r.CPU)
		others = max(others, r.others)
	}
	return []row{
		{Name: c.name + ".msgs", Unit: "messages/s", Ours: spreadOf(perSecond), Others: others},
		{Name: c.name + ".cpu", Unit: "us/message", Ours: spreadOf(cpu), Others: others},
	}, nil
}
