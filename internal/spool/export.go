package spool

// Export calls fn for every record that is not acknowledged, or for all that are still on disk, in the order of
// their sequences. It changes nothing and steps over damage, which Check reports. A payload is valid until fn
// returns; an error of fn ends it and is returned.
func Export(fsys FS, dir string, all bool, fn func(Frame) error) error {
	o, err := look(fsys, dir)
	if err != nil {
		return err
	}
	_, err = o.walk(func(got found) error {
		if !all && o.pos.acks.has(got.head.seq) {
			return nil
		}
		return fn(frameOf(got.head, got.payload))
	})
	return err
}
