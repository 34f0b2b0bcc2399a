package quiet

import (
	"testing"
	"time"
)

// Both forms of the timer do the same.
func TestATimerIsOverOnceForEachTimeThatWasSet(t *testing.T) {
	type form interface {
		Set(d time.Duration)
		Close() error
	}
	for name, start := range map[string]func(over func()) form{
		"quiet": func(over func()) form {
			timer, err := NewTimer()
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				timer.Run(over)
			}()
			t.Cleanup(func() { <-ended })
			return timer
		},
		"plain": func(over func()) form { return NewPlain(over) },
	} {
		t.Run(name, func(t *testing.T) {
			over := make(chan struct{}, 100)
			timer := start(func() { over <- struct{}{} })
			timer.Set(time.Hour)
			begun := time.Now()
			timer.Set(3 * time.Millisecond) // in place of the hour
			<-over
			if took := time.Since(begun); took < 3*time.Millisecond {
				t.Errorf("over after %v, want 3ms", took)
			}
			for _, at := range []time.Duration{0, -time.Second, 1} {
				timer.Set(at)
				<-over
			}
			timer.Set(time.Hour)
			if err := timer.Close(); err != nil {
				t.Error(err)
			}
			timer.Set(time.Millisecond) // nobody is there, and nothing breaks
			if err := timer.Close(); err != nil {
				t.Error(err)
			}
			if n := len(over); n > 0 && name == "quiet" {
				t.Errorf("over %d times more", n)
			}
		})
	}
}
