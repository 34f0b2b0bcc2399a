package spool

// The named points at which a crash test kills the process; see [Options.Point].
const (
	PointSegmentCreated  = "segment-created"  // the file has a name and its blocks, no header
	PointHeaderSynced    = "header-synced"    // the header is durable, the name perhaps not
	PointFolderSynced    = "folder-synced"    // the name is durable too
	PointBatchWritten    = "batch-written"    // frames are written, not synced, nobody was answered
	PointBatchSynced     = "batch-synced"     // frames are durable, nobody was answered
	PointPositionWritten = "position-written" // a slot of the position file is written
	PointSegmentSealed   = "segment-sealed"   // the segment is cut to its length and synced
	PointNoted           = "sequence-noted"   // notes are durable, nobody was answered; not of every spool
	PointUnlinked        = "unlinked"         // a done segment lost its name, the folder is not synced
)

// Points returns those of every spool: all but PointNoted.
func Points() []string {
	return []string{
		PointSegmentCreated, PointHeaderSynced, PointFolderSynced, PointBatchWritten, PointBatchSynced,
		PointPositionWritten, PointSegmentSealed, PointUnlinked,
	}
}
