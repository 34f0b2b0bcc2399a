//go:build !asan

#include "textflag.h"
#include "funcdata.h"

// func Call(f, a, b unsafe.Pointer, n uintptr) unsafe.Pointer
//
// The function gets the frame as its stack, from its upper end, which is 16-byte aligned as C wants it. C keeps BX and BP.
TEXT ·Call(SB), 0, $32768-40
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), AX
	MOVQ a+8(FP), DI
	MOVQ b+16(FP), SI
	MOVQ n+24(FP), DX
	MOVQ SP, BX
	LEAQ 32752(SP), CX
	ANDQ $~15, CX
	MOVQ CX, SP
	CALL AX
	MOVQ BX, SP
	MOVQ AX, ret+32(FP)
	RET
