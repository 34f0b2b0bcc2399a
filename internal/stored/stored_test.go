package stored

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/halon-extras/kafka/internal/record"
)

func records() map[string]*record.Record {
	return map[string]*record.Record{
		"null and null":   {Timestamp: 1, Partition: -1, Topic: "t"},
		"empty and empty": {Timestamp: 1, Partition: -1, Topic: "t", Key: []byte{}, Value: []byte{}},
		"all of it": {
			Timestamp: 1795451043889, Partition: 7, Topic: "mail", Key: []byte("k\x00"), Value: []byte("v"),
			Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {}},
		},
		"before 1970": {Timestamp: -5, Partition: -1, Topic: ""},
	}
}

func TestARecordComesBackAsItWas(t *testing.T) {
	for sentence, want := range records() {
		t.Run(sentence, func(t *testing.T) {
			var got record.Record
			if err := Decode(Append(nil, want), &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(&got, want) {
				t.Errorf("got %+v, want %+v", got, *want)
			}
		})
	}
}

// The bytes are part of the format: a spool that was written once must be read for ever.
func TestTheBytesOfVersionOne(t *testing.T) {
	const want = "0103e280c693c168" + "0e" + "046d61696c" + "026b00" + "0176" + "03" + "0161" + "010131" + "0161" + "0100" + "00" + "00"
	if got := hex.EncodeToString(Append(nil, records()["all of it"])); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnotherVersionIsNamed(t *testing.T) {
	var r record.Record
	err := Decode([]byte{9, 0, 0}, &r)
	if err == nil || err.Error() != "the record has version 9, and this program knows 1: use the program that wrote it" {
		t.Errorf("got %v", err)
	}
}

func TestEveryCutIsFound(t *testing.T) {
	whole := Append(nil, records()["all of it"])
	for n := range whole {
		var r record.Record
		if err := Decode(whole[:n], &r); err == nil {
			t.Errorf("the first %d of %d bytes pass as a record", n, len(whole))
		}
	}
	var r record.Record
	if err := Decode(append(whole, 0), &r); err == nil {
		t.Error("a byte too many passes")
	}
}

func FuzzDecode(f *testing.F) {
	for _, r := range records() {
		f.Add(Append(nil, r))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		var r, again record.Record
		if Decode(payload, &r) != nil {
			return
		}
		if err := Decode(Append(nil, &r), &again); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%x becomes %+v, and that becomes %+v: %v", payload, r, again, err)
		}
		if len(r.Key)+len(r.Value) > len(payload) {
			t.Errorf("more came out than went in")
		}
	})
}
