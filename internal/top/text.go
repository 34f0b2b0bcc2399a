package top

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/halon-extras/kafka/internal/report"
)

// number writes a count with commas, or shorter where it does not fit.
func number(n int64, width int) string {
	text := report.Thousands(n)
	value := float64(n)
	for _, unit := range "kMGTPE" {
		if len(text) <= width {
			break
		}
		value /= 1000
		text = fmt.Sprintf("%.1f%c", value, unit)
	}
	return text
}

// rate writes a number a second; "-" where it is not known.
func rate(r float64) string {
	switch {
	case math.IsNaN(r):
		return "-"
	case math.Abs(r) < 1000:
		return fmt.Sprintf("%.1f", r)
	}
	return number(int64(math.Round(min(max(r, -1e15), 1e15))), 8)
}

func disk(q *Queue) string {
	if q.SpoolLimit == 0 {
		return "-"
	}
	return report.Size(q.SpoolBytes)
}

func oldest(q *Queue) string {
	if q.depth() == 0 {
		return "-"
	}
	return report.Age(q.oldest())
}

func state(q *Queue) string {
	if q.Paused && q.State == "degraded" {
		return "paused"
	}
	return report.Printable(q.State)
}

// fit is text in so many columns: cut, with a mark where something is missing, or filled up.
func fit(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if n := uniseg.StringWidth(text); n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	head := cut(text, width-1)
	return head + ">" + strings.Repeat(" ", max(width-1-uniseg.StringWidth(head), 0))
}

// right is fit, on the right.
func right(text string, width int) string {
	if n := uniseg.StringWidth(text); n <= width {
		return strings.Repeat(" ", width-n) + text
	}
	return fit(text, width)
}

// cut is the beginning of text that fits into so many columns.
func cut(text string, width int) string {
	var b strings.Builder
	for rest, state := text, -1; rest != ""; {
		var cluster string
		var n int
		cluster, rest, n, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width -= n; width < 0 {
			break
		}
		b.WriteString(cluster)
	}
	return b.String()
}

// wrap breaks a sentence into lines, at blanks where there are some.
func wrap(text string, width int) []string {
	var lines []string
	for width > 0 && uniseg.StringWidth(text) > width {
		head := cut(text, width)
		if head == "" {
			break
		}
		if i := strings.LastIndexByte(head, ' '); i > 0 && !strings.HasPrefix(text[len(head):], " ") {
			head = head[:i]
		}
		lines = append(lines, head)
		text = strings.TrimPrefix(text[len(head):], " ")
	}
	return append(lines, text)
}

// Bar is a bar of so many columns, three at least; share is between 0 and 1.
func Bar(share float64, width int) string {
	full := int(share * float64(width-2))
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-2-full) + "]"
}

// table aligns rows to columns as wide as their widest cell: on the right, but for those that are named.
func table(rows [][]string, leftAligned ...int) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	var lines []string
	for _, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if i > 0 {
				b.WriteByte(' ')
			}
			if slices.Contains(leftAligned, i) {
				b.WriteString(fit(cell, widths[i]))
			} else {
				b.WriteString(right(cell, widths[i]))
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}
