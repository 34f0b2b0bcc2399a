//go:build !race

package producer

const raced = false
