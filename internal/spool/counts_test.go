package spool_test

// either is how often something is tried: often, but seldom under the race detector, which looks for races and not for rare orders of events.
// make test runs both.
func either[T any](often, seldom T) T {
	if raced {
		return seldom
	}
	return often
}
