package main

import (
	"bytes"
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// id names one record: the n-th that a worker produced in one life of the host. The worker is the record's key, and
// waits for each answer before it produces the next, so that the order of a key is the order of (life, n).
type id struct{ worker, life, n int }

func (i id) String() string { return fmt.Sprintf("%d/%d/%d", i.worker, i.life, i.n) }

func (i id) before(other id) bool {
	return i.life < other.life || i.life == other.life && i.n < other.n
}

func parseID(text string) (id, error) {
	var n [3]int
	parts := strings.Split(text, "/")
	if len(parts) != len(n) {
		return id{}, fmt.Errorf("%q is no id", text)
	}
	for k, part := range parts {
		var err error
		if n[k], err = strconv.Atoi(part); err != nil || n[k] < 0 {
			return id{}, fmt.Errorf("%q is no id", text)
		}
	}
	return id{n[0], n[1], n[2]}, nil
}

// value is the record's: its id, and bytes that follow from it. Sizes differ, so that frames lie everywhere.
func (i id) value() []byte {
	b := append([]byte(i.String()), ':')
	size := (i.worker*31 + i.life*17 + i.n*101) % 1500
	return append(b, bytes.Repeat([]byte{byte('a' + i.n%26)}, size)...)
}

// recognise is the reverse of value.
func recognise(value []byte) (id, error) {
	head, _, _ := bytes.Cut(value, []byte(":"))
	i, err := parseID(string(head))
	if err == nil && !bytes.Equal(i.value(), value) {
		err = fmt.Errorf("the value of %v has changed: %.60q", i, value)
	}
	return i, err
}

// journal is what the world knows: what hosts were answered, and what is on the topic. It belongs to one goroutine.
type journal struct {
	kills    int
	answered map[id]bool
	tried    map[id]int       // by worker and life (n is 0): the highest n with an answer, whatever it was
	seen     map[id]int       // how often it is on the topic
	places   [2]map[id]string // where those that came since the last kill, and since the one before, were seen first
	latest   map[int]id       // by worker: the last first occurrence
	allowed  map[id]int       // by how many kills it may be on the topic again
	bound    int
	most     int // how many a kill has found in flight at most: on the topic, and not acknowledged in the spool
	wrong    []string
	strict   bool // no record may come twice

	disordered int // records that came after a later one of their key
	doubts     int // messages that hosts have called possibly duplicated
}

func newJournal() *journal {
	return &journal{answered: map[id]bool{}, tried: map[id]int{}, seen: map[id]int{}, places: [2]map[id]string{{}, {}}, latest: map[int]id{}, allowed: map[id]int{}}
}

// answer notes that a record was answered, with [] when stored.
func (j *journal) answer(i id, stored bool) {
	if stored {
		j.answered[i] = true
	}
	who := id{i.worker, i.life, 0}
	j.tried[who] = max(j.tried[who], i.n)
}

// arrive notes a record of the topic; those of a key come in the topic's order. All answers of lives that have ended
// must have been noted before.
func (j *journal) arrive(value []byte, place string) {
	i, err := recognise(value)
	if err != nil {
		j.fault("invented: %v", err)
		return
	}
	if i.n > j.tried[id{i.worker, i.life, 0}]+1 {
		j.fault("invented: %v, of which nobody knows", i)
		return
	}
	j.seen[i]++
	if j.seen[i] > 1 {
		if j.strict {
			j.fault("duplicate: %v is on the topic %d times: %s; %s", i, j.seen[i], cmp.Or(j.places[0][i], j.places[1][i], "long before"), place)
		}
		return
	}
	if last, ok := j.latest[i.worker]; ok && i.before(last) {
		j.disordered++
		j.fault("order: %v comes after %v", i, last)
		return
	}
	j.latest[i.worker] = i
	j.places[0][i] = place
}

// killed notes a kill that left these records in the spool, not acknowledged. All that is on the topic at that time must have
// arrived before.
func (j *journal) killed(pending []id) {
	j.kills++
	j.places = [2]map[id]string{{}, j.places[0]}
	flying := 0
	for _, i := range pending {
		if j.seen[i] > 0 {
			flying++
			if !j.strict {
				j.allowed[i]++
				j.bound++
			}
		}
	}
	j.most = max(j.most, flying)
}

func (j *journal) fault(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

// missing is how many answered records are not on the topic.
func (j *journal) missing() (n int) {
	for i := range j.answered {
		if j.seen[i] == 0 {
			n++
		}
	}
	return n
}

// verdict is the closing line, and whether everything held. It is asked once, at the end.
func (j *journal) verdict() (line string, ok bool) {
	lost, duplicates, order := 0, 0, "order kept"
	for i := range j.answered {
		if j.seen[i] == 0 {
			lost++
			j.fault("lost: %v was answered [] and is not on the topic", i)
		}
	}
	for _, w := range j.wrong {
		if strings.HasPrefix(w, "order: ") {
			order = "order broken"
		}
	}
	for i, n := range j.seen {
		duplicates += n - 1
		if n-1 > j.allowed[i] {
			j.fault("duplicate: %v is on the topic %d times, and %d kills found it in flight", i, n, j.allowed[i])
		}
	}
	line = fmt.Sprintf("kill9: %d kills, %d acknowledged, %d lost, %d duplicates (bound %d), %s",
		j.kills, len(j.answered), lost, duplicates, j.bound, order)
	return line, len(j.wrong) == 0 && duplicates <= j.bound && len(j.answered) > 0
}
