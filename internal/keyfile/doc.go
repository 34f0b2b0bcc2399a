// Package keyfile reads certificates and private keys from the files that people have: PEM, encrypted PEM, PKCS#8 and PKCS#12.
//
// It takes what OpenSSL 3 takes without its legacy provider, decides between several keys and certificates as OpenSSL does, and
// names what it refuses: the algorithm, the curve or the structure. Only a password that does not fit is [ErrPassword].
//
// It takes bytes and returns keys: it opens no file, keeps nothing and writes nothing. What it reads may come from anybody: no input makes it panic,
// and the work for each encrypted part is bounded. No error holds a password or a part of a key. All functions are safe for concurrent use.
package keyfile
