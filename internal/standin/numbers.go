package standin

/*
#include "standin.h"

#ifdef HALONMTA_STANDIN_ALT_NUMBERS
enum { standin_alt_numbers = 1 };
#else
enum { standin_alt_numbers = 0 };
#endif
*/
import "C"

const altNumbers = C.standin_alt_numbers == 1
