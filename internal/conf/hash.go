package conf

import (
	"encoding/binary"
	"hash/crc32"
)

// The hashes of librdkafka's partitioners. Each decides where the records of a key have always
// gone, so every bit is part of the contract.

// murmur2 is the hash of Kafka's Java client.
func murmur2(key []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := uint32(seed) ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		k = (k ^ k>>r) * m
		h = h*m ^ k
	}
	if len(key) > 0 {
		for i, b := range key {
			h ^= uint32(b) << (8 * i)
		}
		h *= m
	}
	h = (h ^ h>>13) * m
	return h ^ h>>15
}

// fnv1a is the hash of the Sarama client: FNV-1a taken as a signed number, without its sign. The
// smallest number has no positive twin and stays what it is.
func fnv1a(key []byte) uint32 {
	const (
		prime  = 0x01000193
		offset = 0x811c9dc5
	)
	h := uint32(offset)
	for _, b := range key {
		h = (h ^ uint32(b)) * prime
	}
	if int32(h) < 0 {
		h = -h
	}
	return h
}

// crc is the hash of librdkafka's own partitioners.
func crc(key []byte) uint32 { return crc32.ChecksumIEEE(key) }
