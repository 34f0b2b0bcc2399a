package conf

// partitioners are the values of the property partitioner. What they do with a key is the intake's to know, which chooses partitions.
var partitioners = []string{"random", "consistent", "consistent_random", "murmur2", "murmur2_random", "fnv1a", "fnv1a_random"}
