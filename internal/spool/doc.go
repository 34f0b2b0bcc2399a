// Package spool is the durable log of one queue: bytes in, bytes out. It knows no Kafka.
//
// It promises, for every payload whose done function was called with nil: the payload is on disk and synced, and
// each cursor delivers it, in the order of the sequence numbers, until it is acknowledged, also after a kill or
// a power cut. It may deliver a payload again after a crash (at most those whose acknowledgement was not yet
// written to the position file), and it may deliver one whose done function was called with an error or not at
// all; it never delivers bytes that nobody appended.
//
// It refuses, and never waits: [ErrFull] at MaxBytes, [ErrBusy] when the disk is slower than the callers and the
// memory for waiting frames is used up, [ErrDegraded] while nothing can be stored, [ErrTooLarge], [ErrClosed].
// No file content makes it panic, and damage in a file costs the damaged records only.
//
// Who may call it: every method of [Spool] may be called from any goroutine or host thread, and all but DurablePosition, Sync and Close, which wait for
// the disk, also from within a done function. Append, Ack, DropOldest and Stats take one short lock, Spool.mu, and never touch the disk; a function whose name
// ends in Locked needs it. A [Cursor] belongs to one goroutine. All done functions and the hooks Synced, Changed and Point run on the spool's own
// goroutines, Room also on that of whoever acknowledges. They must not block.
//
// Two goroutines live as long as a spool: the syncer (syncer.go), the only one that writes segments, and the
// keeper (keeper.go), the only one that writes the position file and unlinks. [Spool.Close] ends both. [Notes] have
// one of their own.
//
// The chapters, in the order in which bytes walk through them:
//
//	spool.go     Options, Open, Close          frame.go      one record on disk
//	recover.go   what Open reads               segment.go    one file of records
//	last.go      and of the last segment       salt.go       a header that is lost
//	lost.go      what is missing
//	append.go    into memory                   block.go      pieces of memory, shared with readers
//	syncer.go    memory to disk, group commit  write.go      the active segment
//	poison.go    a failed write or sync, degraded, recovery
//	cursor.go    back out, memory or disk      scan.go       walk a file, skip what is damaged
//	ack.go       resolve a record              acks.go       frontier and the set above it
//	drop.go      make room, but not of what a later version has written
//	keeper.go    position file, unlinking      position.go   one slot
//	slots.go     how it is written             trouble.go    what cannot be read
//	salvage.go   bytes that are kept aside     lock.go       one process a folder
//	notes.go     a log of what callers note    notesread.go  what is found of it
//	durable.go   a position that is durable
//	stats.go     numbers                       moments.go    when records were appended
//	letter.go    dead letters                  point.go      where crash tests kill the process
//	inspect.go, check.go, export.go, repair.go the offline part
//	fs.go, fs_os.go                            the only way to the disk
//
// The format is drawn in docs/spool-format.md.
package spool
