//go:build !asan

#include "textflag.h"
#include "funcdata.h"

// func Call(f, a, b unsafe.Pointer, n uintptr) unsafe.Pointer
//
// The function gets the frame as its stack, from its upper end, which is 16-byte aligned as C wants it. C keeps R19, R28 (g) and R29.
TEXT ·Call(SB), 0, $32768-40
	NO_LOCAL_POINTERS
	MOVD f+0(FP), R9
	MOVD a+8(FP), R0
	MOVD b+16(FP), R1
	MOVD n+24(FP), R2
	MOVD RSP, R19
	MOVD $32752, R10
	ADD  R19, R10, R10
	AND  $~15, R10, R10
	MOVD R10, RSP
	CALL (R9)
	MOVD R19, RSP
	MOVD R0, ret+32(FP)
	RET
