// Package resperr is the vocabulary of failure: librdkafka's error codes, one table of number, name
// and text, as librdkafka 2.15.0 has it.
//
// It promises that [Code.Error] and [Code.Name] give exactly the words of rd_kafka_err2str and
// rd_kafka_err2name, also for numbers that are not in the table, because scripts and log readers
// compare them. It decides nothing: which failure becomes which code is decided where the failure
// is seen. It imports no Kafka client, holds no state, and may be called by every package from any
// thread.
package resperr

import (
	"sort"
	"strconv"
)

// Code is the number of a failure: what a script sees as errno. Its text is errstr.
//
// A Code is an error, so that it can travel through wrapping and be found again with
// [errors.As]. [NoError] is a Code too; a function that returns error must return nil for it.
type Code int32

// Error returns the text of rd_kafka_err2str: "Local: Queue full", "Success" for [NoError], and
// "Err-<number>?" for a number that librdkafka does not know.
func (c Code) Error() string {
	if i, ok := c.find(); ok {
		return texts[i].text
	}
	return "Err-" + strconv.Itoa(int(c)) + "?"
}

// Name returns the symbol of rd_kafka_err2name, without the prefix RD_KAFKA_RESP_ERR_:
// "_QUEUE_FULL", "NO_ERROR" for [NoError], and "ERR_<number>?" for a number that librdkafka does
// not know.
func (c Code) Name() string {
	if i, ok := c.find(); ok {
		return texts[i].name
	}
	return "ERR_" + strconv.Itoa(int(c)) + "?"
}

// Known reports whether librdkafka has a text for c.
func (c Code) Known() bool {
	_, ok := c.find()
	return ok
}

// Local reports whether c was made inside the process and not by a broker.
func (c Code) Local() bool { return c < Unknown }

// All returns every known code in the order of their numbers. The caller owns the slice.
func All() []Code {
	all := make([]Code, len(texts))
	for i := range texts {
		all[i] = texts[i].code
	}
	return all
}

func (c Code) find() (int, bool) {
	i := sort.Search(len(texts), func(i int) bool { return texts[i].code >= c })
	return i, i < len(texts) && texts[i].code == c
}
