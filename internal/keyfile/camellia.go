package keyfile

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// camellia is the block cipher of RFC 3713. No kept library has it alone.
type camellia struct {
	whitening [4]uint64
	rounds    []uint64 // 18 or 24
	between   []uint64 // of FL and its inverse, two after every six rounds but the last
}

// camelliaBox is SBOX1 of the RFC, section 2.4.2; the other three are made of it.
var camelliaBox = [256]byte{
	112, 130, 44, 236, 179, 39, 192, 229, 228, 133, 87, 53, 234, 12, 174, 65,
	35, 239, 107, 147, 69, 25, 165, 33, 237, 14, 79, 78, 29, 101, 146, 189,
	134, 184, 175, 143, 124, 235, 31, 206, 62, 48, 220, 95, 94, 197, 11, 26,
	166, 225, 57, 202, 213, 71, 93, 61, 217, 1, 90, 214, 81, 86, 108, 77,
	139, 13, 154, 102, 251, 204, 176, 45, 116, 18, 43, 32, 240, 177, 132, 153,
	223, 76, 203, 194, 52, 126, 118, 5, 109, 183, 169, 49, 209, 23, 4, 215,
	20, 88, 58, 97, 222, 27, 17, 28, 50, 15, 156, 22, 83, 24, 242, 34,
	254, 68, 207, 178, 195, 181, 122, 145, 36, 8, 232, 168, 96, 252, 105, 80,
	170, 208, 160, 125, 161, 137, 98, 151, 84, 91, 30, 149, 224, 255, 100, 210,
	16, 196, 0, 72, 163, 247, 117, 219, 138, 3, 230, 218, 9, 63, 221, 148,
	135, 92, 131, 2, 205, 74, 144, 51, 115, 103, 246, 243, 157, 127, 191, 226,
	82, 155, 216, 38, 200, 55, 198, 59, 129, 150, 111, 75, 19, 190, 99, 46,
	233, 121, 167, 140, 159, 110, 188, 142, 41, 245, 249, 182, 47, 253, 180, 89,
	120, 152, 6, 106, 231, 70, 113, 186, 212, 37, 171, 66, 136, 162, 141, 250,
	114, 7, 185, 85, 248, 238, 172, 10, 54, 73, 42, 104, 60, 56, 241, 164,
	64, 40, 211, 123, 187, 201, 67, 193, 21, 227, 173, 244, 119, 199, 128, 158,
}

// camelliaF is the function F of the RFC, section 2.4.1.
func camelliaF(in, key uint64) uint64 {
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], in^key)
	s1 := func(b byte) byte { return camelliaBox[b] }
	s2 := func(b byte) byte { return bits.RotateLeft8(camelliaBox[b], 1) }
	s3 := func(b byte) byte { return bits.RotateLeft8(camelliaBox[b], 7) }
	s4 := func(b byte) byte { return camelliaBox[bits.RotateLeft8(b, 1)] }
	t1, t2, t3, t4 := s1(t[0]), s2(t[1]), s3(t[2]), s4(t[3])
	t5, t6, t7, t8 := s2(t[4]), s3(t[5]), s4(t[6]), s1(t[7])
	return binary.BigEndian.Uint64([]byte{
		t1 ^ t3 ^ t4 ^ t6 ^ t7 ^ t8,
		t1 ^ t2 ^ t4 ^ t5 ^ t7 ^ t8,
		t1 ^ t2 ^ t3 ^ t5 ^ t6 ^ t8,
		t2 ^ t3 ^ t4 ^ t5 ^ t6 ^ t7,
		t1 ^ t2 ^ t6 ^ t7 ^ t8,
		t2 ^ t3 ^ t5 ^ t7 ^ t8,
		t3 ^ t4 ^ t5 ^ t6 ^ t8,
		t1 ^ t4 ^ t5 ^ t6 ^ t7,
	})
}

func camelliaFL(in, key uint64) uint64 {
	l, r := uint32(in>>32), uint32(in)
	kl, kr := uint32(key>>32), uint32(key)
	r ^= bits.RotateLeft32(l&kl, 1)
	l ^= r | kr
	return uint64(l)<<32 | uint64(r)
}

func camelliaInverseFL(in, key uint64) uint64 {
	l, r := uint32(in>>32), uint32(in)
	kl, kr := uint32(key>>32), uint32(key)
	l ^= r | kr
	r ^= bits.RotateLeft32(l&kl, 1)
	return uint64(l)<<32 | uint64(r)
}

// half returns 64 bits of k, rotated left by n: the upper ones, or the lower ones.
func half(k [2]uint64, n int, lower bool) uint64 {
	if n >= 64 {
		k[0], k[1], n = k[1], k[0], n-64
	}
	if lower {
		k[0], k[1] = k[1], k[0]
	}
	return k[0]<<n | k[1]>>(64-n)
}

// newCamellia returns the cipher of a key of 16, 24 or 32 bytes.
func newCamellia(key []byte) (cipher.Block, error) {
	u := binary.BigEndian.Uint64
	var kr [2]uint64
	switch len(key) {
	case 16:
	case 24:
		kr = [2]uint64{u(key[16:]), ^u(key[16:])}
	case 32:
		kr = [2]uint64{u(key[16:]), u(key[24:])}
	default:
		return nil, fmt.Errorf("a key of %d bytes is not one of Camellia", len(key))
	}
	kl := [2]uint64{u(key), u(key[8:])}
	d1, d2 := kl[0]^kr[0], kl[1]^kr[1]
	d2 ^= camelliaF(d1, 0xA09E667F3BCC908B)
	d1 ^= camelliaF(d2, 0xB67AE8584CAA73B2)
	d1, d2 = d1^kl[0], d2^kl[1]
	d2 ^= camelliaF(d1, 0xC6EF372FE94F82BE)
	d1 ^= camelliaF(d2, 0x54FF53A5F1D36F1C)
	ka := [2]uint64{d1, d2}
	d1, d2 = ka[0]^kr[0], ka[1]^kr[1]
	d2 ^= camelliaF(d1, 0x10E527FADE682D1D)
	d1 ^= camelliaF(d2, 0xB05688C2B3E6C1FD)
	kb := [2]uint64{d1, d2}

	// RFC 3713, section 2.2: each is what it is a rotation of, and by how much.
	type rotation struct {
		of [2]uint64
		by int
	}
	keys := func(all ...rotation) (halves []uint64) {
		for _, k := range all {
			halves = append(halves, half(k.of, k.by, false), half(k.of, k.by, true))
		}
		return halves
	}
	if len(key) == 16 {
		rounds := keys(rotation{ka, 0}, rotation{kl, 15}, rotation{ka, 15}, rotation{kl, 45})
		rounds = append(rounds, half(ka, 45, false), half(kl, 60, true))
		rounds = append(rounds, keys(rotation{ka, 60}, rotation{kl, 94}, rotation{ka, 94}, rotation{kl, 111})...)
		between := keys(rotation{ka, 30}, rotation{kl, 77})
		return &camellia{[4]uint64(keys(rotation{kl, 0}, rotation{ka, 111})), rounds, between}, nil
	}
	rounds := keys(rotation{kb, 0}, rotation{kr, 15}, rotation{ka, 15}, rotation{kb, 30}, rotation{kl, 45}, rotation{ka, 45},
		rotation{kr, 60}, rotation{kb, 60}, rotation{kl, 77}, rotation{kr, 94}, rotation{ka, 94}, rotation{kl, 111})
	between := keys(rotation{kr, 30}, rotation{kl, 60}, rotation{ka, 77})
	return &camellia{[4]uint64(keys(rotation{kl, 0}, rotation{kb, 111})), rounds, between}, nil
}

// BlockSize implements [cipher.Block].
func (c *camellia) BlockSize() int { return 16 }

// Encrypt implements [cipher.Block].
func (c *camellia) Encrypt(dst, src []byte) { c.crypt(dst, src, false) }

// Decrypt implements [cipher.Block].
func (c *camellia) Decrypt(dst, src []byte) { c.crypt(dst, src, true) }

// crypt takes the keys from the first to the last, or to decrypt, from the last to the first.
func (c *camellia) crypt(dst, src []byte, back bool) {
	at := func(keys []uint64, i int) uint64 {
		if back {
			return keys[len(keys)-1-i]
		}
		return keys[i]
	}
	w := c.whitening
	if back {
		w = [4]uint64{w[2], w[3], w[0], w[1]}
	}
	d1, d2 := binary.BigEndian.Uint64(src)^w[0], binary.BigEndian.Uint64(src[8:])^w[1]
	for i := 0; i < len(c.rounds); i += 2 {
		if i > 0 && i%6 == 0 {
			n := i/3 - 2
			d1, d2 = camelliaFL(d1, at(c.between, n)), camelliaInverseFL(d2, at(c.between, n+1))
		}
		d2 ^= camelliaF(d1, at(c.rounds, i))
		d1 ^= camelliaF(d2, at(c.rounds, i+1))
	}
	binary.BigEndian.PutUint64(dst, d2^w[2])
	binary.BigEndian.PutUint64(dst[8:], d1^w[3])
}
