//go:build race

package spool_test

// either is how often something is tried: seldom under the race detector, which looks for races and not for rare orders of events, and makes
// everything ten times slower. make test runs both.
func either[T any](_, seldom T) T { return seldom }
