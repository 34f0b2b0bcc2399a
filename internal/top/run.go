package top

import (
	"context"
	"time"

	"github.com/gdamore/tcell/v2"
)

// Options are the settings of a view.
type Options struct {
	Source  Source
	Every   time.Duration // between two questions
	Suspend func()        // stops the process until it is continued, for Ctrl-Z; nil is no such key
}

// Run shows the view on a screen until the operator quits or ctx ends. It takes the screen over, and gives it back in each case.
func Run(ctx context.Context, screen tcell.Screen, o Options) error {
	if err := screen.Init(); err != nil {
		return err
	}
	defer screen.Fini()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &view{screen: screen, model: newModel(o.Source.Name(), o.Every), o: o, answers: make(chan answer, 1)}
	defer v.wait(cancel)
	keys, quit := make(chan tcell.Event), make(chan struct{})
	defer close(quit)
	go screen.ChannelEvents(keys, quit)
	clock := time.NewTicker(time.Second)
	defer clock.Stop()
	v.next = time.NewTimer(0)
	defer v.next.Stop()
	for {
		v.draw()
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-keys:
			if !ok {
				return nil
			}
			if failed, ok := event.(*tcell.EventError); ok {
				return failed // the terminal has gone, and with it the keys
			}
			if !v.event(event) {
				return nil
			}
		case <-clock.C:
		case <-v.next.C:
			v.ask(ctx)
		case a := <-v.answers:
			v.asking = false
			if !v.model.paused {
				v.model.take(a.sample, a.err)
			}
			v.again()
		}
	}
}

// A view is a model on a screen. One goroutine has it; a question is another one, at most one at a time.
type view struct {
	screen  tcell.Screen
	model   *model
	o       Options
	answers chan answer
	asking  bool
	asked   time.Time
	next    *time.Timer
}

type answer struct {
	sample *Sample
	err    error
}

// ask asks the source, unless it is asked already.
func (v *view) ask(ctx context.Context) {
	if v.asking || v.model.paused {
		return
	}
	v.asking, v.asked = true, time.Now()
	detail := v.model.detail()
	go func() {
		s, err := v.o.Source.Read(ctx, detail)
		v.answers <- answer{s, err}
	}()
}

// again sets the time of the next question: soon when the screen shows what the last one was not about.
func (v *view) again() {
	at := v.asked.Add(v.model.every)
	if s := v.model.sample; s != nil && v.model.detail() != "" && s.Detail != v.model.detail() && v.model.err == nil {
		at = time.Now()
	}
	v.next.Reset(time.Until(at))
}

// wait waits for a question that is on its way: its child must not outlive the view.
func (v *view) wait(cancel func()) {
	cancel()
	if v.asking {
		<-v.answers
	}
}

// event does what a key says. It reports whether the view goes on.
func (v *view) event(event tcell.Event) bool {
	switch e := event.(type) {
	case *tcell.EventResize:
		v.screen.Sync()
	case *tcell.EventKey:
		return v.key(e)
	}
	return true
}

func (v *view) key(e *tcell.EventKey) bool {
	m := v.model
	_, height := v.screen.Size()
	page := max(height/2, 1)
	switch e.Key() {
	case tcell.KeyCtrlC:
		return false
	case tcell.KeyCtrlZ:
		v.suspend()
	case tcell.KeyCtrlL:
		v.screen.Sync()
	case tcell.KeyLeft, tcell.KeyBacktab:
		v.turn(-1)
	case tcell.KeyRight, tcell.KeyTab:
		v.turn(1)
	case tcell.KeyUp:
		v.move(-1)
	case tcell.KeyDown:
		v.move(1)
	case tcell.KeyPgUp:
		v.move(-page)
	case tcell.KeyPgDn:
		v.move(page)
	case tcell.KeyHome:
		v.move(-1 << 20)
	case tcell.KeyEnd:
		v.move(1 << 20)
	case tcell.KeyEnter:
		if !m.help && m.pane == queuesPane {
			v.turn(1)
		}
	case tcell.KeyEscape, tcell.KeyBackspace, tcell.KeyBackspace2:
		if m.help {
			m.help = false
		} else {
			m.pane = queuesPane
		}
		m.offset = 0
	case tcell.KeyRune:
		return v.letter(e.Rune())
	}
	return true
}

func (v *view) letter(c rune) bool {
	m := v.model
	switch c {
	case 'q', 'Q':
		return false
	case '?', 'h', 'H':
		m.help, m.offset = !m.help, 0
	case '<':
		v.turn(-1)
	case '>':
		v.turn(1)
	case 'k':
		v.move(-1)
	case 'j':
		v.move(1)
	case 'n':
		m.move(1)
		v.again()
	case 'N':
		m.move(-1)
		v.again()
	case 's':
		m.sortBy = (m.sortBy + 1) % len(columns())
	case 'S':
		m.sortBy = (m.sortBy + len(columns()) - 1) % len(columns())
	case 'r', 'R':
		m.reverse = !m.reverse
	case 'p', 'P', ' ':
		m.paused = !m.paused
		v.again()
	case '+':
		m.faster()
		v.again()
	case '-':
		m.slower()
		v.again()
	}
	return true
}

// turn goes to another pane, and asks for what it shows.
func (v *view) turn(by int) {
	v.model.help = false
	v.model.turn(by)
	v.again()
}

// move selects another queue in the list, and scrolls elsewhere.
func (v *view) move(by int) {
	if v.model.pane == queuesPane && !v.model.help {
		v.model.move(by)
		return
	}
	v.model.offset = max(v.model.offset+by, 0)
}

// suspend gives the terminal back, as Ctrl-Z does elsewhere.
func (v *view) suspend() {
	if v.o.Suspend == nil || v.screen.Suspend() != nil {
		return
	}
	v.o.Suspend()
	if v.screen.Resume() == nil {
		v.screen.Sync()
	}
}
