package standin

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestAnExceptionHasThePluginsText(t *testing.T) {
	h := open(t, Options{})
	ret, thrown, err := try(h, "throw", "Invalid id argument")
	if err != nil || thrown == nil || thrown.Message != "Invalid id argument" || ret != nil {
		t.Errorf("throw: %v, %v, %v", ret, thrown, err)
	}
	wantNoFaults(t, h)
}

func TestAParkedCallReturnsWhatWasSetBeforeSchedule(t *testing.T) {
	h := open(t, Options{})
	for range 200 {
		if got := call(t, h, "park", "late"); got != "late" {
			t.Fatalf("park: %v", got)
		}
		if got := call(t, h, "park_early", "early"); got != "early" {
			t.Fatalf("park_early: %v", got)
		}
	}
	wantNoFaults(t, h)
}

// The reason for parking at all: with one script thread, a script that waits must not keep the others out.
func TestAParkedCallFreesItsThread(t *testing.T) {
	h := open(t, Options{Threads: 1})
	results := make(chan any, 3)
	for range 3 {
		go func() {
			ret, _, err := try(h, "hold")
			results <- fmt.Sprint(ret, " ", err)
		}()
	}
	// Each round takes the one thread, so the three get it as well, and park.
	for h.Parked() < 3 {
		call(t, h, "count")
	}
	call(t, h, "release")
	for range 3 {
		if got := <-results; got != "released <nil>" {
			t.Errorf("held call: %v", got)
		}
	}
	wantNoFaults(t, h)
}

func TestAScriptOfOneThreadRunsAlone(t *testing.T) {
	h := open(t, Options{Threads: 1})
	inside := make(chan struct{})
	leave := make(chan struct{})
	done := make(chan error)
	go func() {
		done <- h.Script(context.Background(), func(*Script) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := h.Script(ctx, func(*Script) error {
		t.Error("a second script runs on the one thread")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a script whose context ended while it waited: %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The script is gone, the plugin does not know: its schedule must find the call, and nothing may leak.
func TestAScriptThatEndsWhileParked(t *testing.T) {
	h := open(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	err := h.Script(ctx, func(s *Script) error {
		go cancelWhenParked(h, cancel)
		_, _, err := s.Call("hold", nil)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a call whose script ended: %v", err)
	}
	if h.Parked() != 1 {
		t.Errorf("%d calls parked, want the forgotten one", h.Parked())
	}
	call(t, h, "release")
	if h.Live() != 0 || h.Parked() != 0 {
		t.Errorf("%d values live, %d calls parked after the plugin scheduled the forgotten call", h.Live(), h.Parked())
	}
	wantNoFaults(t, h)
}

func cancelWhenParked(h *Host, cancel func()) {
	for h.Parked() == 0 {
		runtime.Gosched()
	}
	cancel()
}

func TestCleanupWithParkedCalls(t *testing.T) {
	h := open(t, Options{})
	result := make(chan any)
	go func() {
		ret, _, _ := try(h, "hold")
		result <- ret
	}()
	for h.Parked() == 0 {
		runtime.Gosched()
	}
	h.Cleanup()
	if got := <-result; got != "stopped" {
		t.Errorf("the parked call: %v", got)
	}
	wantNoFaults(t, h)
}

func TestManyScriptsAtOnce(t *testing.T) {
	h := open(t, Options{Threads: 16})
	var scripts sync.WaitGroup
	for i := range 32 {
		scripts.Go(func() {
			err := h.Script(context.Background(), func(s *Script) error {
				for j := range 100 {
					text := strings.Repeat(fmt.Sprint(i, ".", j, " "), j)
					name := []string{"echo", "park", "park_early"}[j%3]
					got, thrown, err := s.Call(name, []any{text})
					if got != text {
						return fmt.Errorf("%s: %v %v %w", name, got, thrown, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	scripts.Wait()
	wantNoFaults(t, h)
}

func TestAnUnknownFunctionIsAnError(t *testing.T) {
	h := open(t, Options{})
	if _, _, err := try(h, "nothing"); !errors.Is(err, errNoFunction) {
		t.Errorf("call of nothing: %v", err)
	}
}
