//go:build !faultinject

package producer

// killPoint is nil: what ships has no way to be killed at a point of its spool. killpoint_faultinject.go has it.
func killPoint() func(point string) { return nil }
