// Package operator is the program halon-kafka: what an operator runs beside the mail server, before a restart
// finds the first fault or after something went wrong.
//
// It promises librdkafka's verdicts and words where a configuration is judged, all faults at once and each with
// its place where a file is, and that no secret is ever printed. Its exit statuses and its JSON are an interface:
// other programs read them.
//
// It changes nothing: it reads a configuration, the files that this names, and, when told to, metadata of the
// cluster; no topic is created and nothing is produced. It reads spools too, and may be used next to a running mail
// server. Only spool requeue and spool repair --apply write, and they refuse while somebody has the spool.
//
// [Run] is called once a process, from main. The files follow the commands: run.go has their table, check.go and
// what follows it the configuration, connect.go the cluster, properties.go the manual, top.go the live view of package top, spool.go and what begins with
// spool_ the spools.
package operator
