package spool

import "slices"

// moments say when records were appended, to within a second: one entry for each second in which there were any. A backlog of days
// is some thousand entries, as every second one is given up when there are too many.
type moments struct {
	list  []moment
	least int64 // nanoseconds between two entries
}

type moment struct {
	seq uint64
	at  int64 // nanoseconds since 1970
}

const mostMoments = 4096

// note takes the time of a record, if it is newer than all before.
func (m *moments) note(seq uint64, at int64) {
	if m.least == 0 {
		m.least = 1e9
	}
	if n := len(m.list); n > 0 {
		last := m.list[n-1]
		if seq <= last.seq || at >= last.at && at-last.at < m.least {
			return
		}
		if n >= mostMoments {
			for i := range n / 2 {
				m.list[i] = m.list[2*i]
			}
			m.list = m.list[:n/2]
			m.least *= 2
		}
	}
	m.list = append(m.list, moment{seq, at})
}

// of returns when the record seq was appended, or 0, and forgets what is older.
func (m *moments) of(seq uint64) int64 {
	n := 0
	for n+1 < len(m.list) && m.list[n+1].seq <= seq {
		n++
	}
	m.list = slices.Delete(m.list, 0, n)
	if len(m.list) == 0 || m.list[0].seq > seq {
		return 0
	}
	return m.list[0].at
}
