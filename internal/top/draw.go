package top

import (
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// looks says what a style looks like. A terminal without colours shows all but the reversed ones alike, so no meaning is in colour alone.
func looks(s style) tcell.Style {
	base := tcell.StyleDefault
	return [...]tcell.Style{
		plain:   base,
		strong:  base.Bold(true),
		heading: base.Reverse(true),
		chosen:  base.Bold(true).Reverse(true),
		good:    base.Foreground(tcell.ColorGreen),
		warning: base.Foreground(tcell.ColorYellow),
		bad:     base.Foreground(tcell.ColorRed).Bold(true),
		news:    base.Foreground(tcell.ColorBlue),
	}[s]
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
