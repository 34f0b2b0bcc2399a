package top

import (
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// looks says what a style looks like. A terminal without colours shows all but the reversed ones alike, so no meaning is in colour alone.
func looks(s style) tcell.Style {
	base := tcell.StyleDefault
	switch s {
	case strong:
		return base.Bold(true)
	case heading:
		return base.Reverse(true)
	case chosen:
		return base.Bold(true).Reverse(true)
	case good:
		return base.Foreground(tcell.ColorGreen)
	case warning:
		return base.Foreground(tcell.ColorYellow)
	case bad:
		return base.Foreground(tcell.ColorRed).Bold(true)
	case news:
		return base.Foreground(tcell.ColorBlue)
	}
	return base
}

func (v *view) draw() {
	v.model.now = time.Now()
	v.screen.Clear()
	width, height := v.screen.Size()
	for y, l := range v.model.lines(width, height) {
		x := 0
		for _, s := range l {
			v.screen.PutStrStyled(x, y, s.text, looks(s.style))
			x += uniseg.StringWidth(s.text)
		}
	}
	v.screen.Show()
}
