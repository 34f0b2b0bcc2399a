package conf

// extensionProperties are the rows of libraries and test aids inside librdkafka, in librdkafka's order.
var extensionProperties = []Property{
	{
		Name: "plugin.library.paths", Kind: String, Importance: Low,
		refuse: refusePlugin,
		How:    Refused, Why: "libraries made for librdkafka cannot be loaded without librdkafka",
		Doc: "Libraries of librdkafka interceptors to load.",
	},
	{Name: "interceptors", Kind: Internal},
	{
		Name: "test.mock.num.brokers", Kind: Int, Max: 10000, Default: "0", Importance: Low,
		Hidden: true,
		How:    NotHonoured, Why: "no mock brokers are started; the queue then has no brokers at all",
		Doc: "How many mock brokers librdkafka starts in the process.",
	},
	{
		Name: "test.mock.broker.rtt", Kind: Int, Max: 3600000, Default: "0", Importance: Low,
		Hidden: true,
		How:    NotHonoured, Why: "no mock brokers are started",
		Doc: "The delay of librdkafka's mock brokers.",
	},
	{
		Name: "ut_handle_ProduceResponse", Kind: Pointer,
		Hidden: true,
		How:    Refused, Why: "librdkafka would call the text as an address",
		Doc: "A hook of librdkafka's own tests.",
	},
}
