package resperr

// The codes, in the order of their numbers. A negative number is librdkafka's own, made inside the
// process ("local"); a positive one is the broker's, part of Kafka's protocol.
const (
	BadMsg                             Code = -199
	BadCompression                     Code = -198
	Destroy                            Code = -197
	Fail                               Code = -196
	Transport                          Code = -195
	CritSysResource                    Code = -194
	Resolve                            Code = -193
	MsgTimedOut                        Code = -192
	PartitionEOF                       Code = -191
	UnknownPartition                   Code = -190
	FS                                 Code = -189
	UnknownTopic                       Code = -188
	AllBrokersDown                     Code = -187
	InvalidArg                         Code = -186
	TimedOut                           Code = -185
	QueueFull                          Code = -184
	ISRInsuff                          Code = -183
	NodeUpdate                         Code = -182
	SSL                                Code = -181
	WaitCoord                          Code = -180
	UnknownGroup                       Code = -179
	InProgress                         Code = -178
	PrevInProgress                     Code = -177
	ExistingSubscription               Code = -176
	AssignPartitions                   Code = -175
	RevokePartitions                   Code = -174
	Conflict                           Code = -173
	State                              Code = -172
	UnknownProtocol                    Code = -171
	NotImplemented                     Code = -170
	Authentication                     Code = -169
	NoOffset                           Code = -168
	Outdated                           Code = -167
	TimedOutQueue                      Code = -166
	UnsupportedFeature                 Code = -165
	WaitCache                          Code = -164
	Interrupted                        Code = -163
	KeySerialization                   Code = -162
	ValueSerialization                 Code = -161
	KeyDeserialization                 Code = -160
	ValueDeserialization               Code = -159
	Partial                            Code = -158
	ReadOnly                           Code = -157
	NoEntry                            Code = -156
	Underflow                          Code = -155
	InvalidType                        Code = -154
	Retry                              Code = -153
	PurgeQueue                         Code = -152
	PurgeInflight                      Code = -151
	Fatal                              Code = -150
	Inconsistent                       Code = -149
	GaplessGuarantee                   Code = -148
	MaxPollExceeded                    Code = -147
	UnknownBroker                      Code = -146
	NotConfigured                      Code = -145
	Fenced                             Code = -144
	Application                        Code = -143
	AssignmentLost                     Code = -142
	Noop                               Code = -141
	AutoOffsetReset                    Code = -140
	LogTruncation                      Code = -139
	InvalidDifferentRecord             Code = -138
	DestroyBroker                      Code = -137
	Unknown                            Code = -1
	NoError                            Code = 0
	OffsetOutOfRange                   Code = 1
	InvalidMsg                         Code = 2
	UnknownTopicOrPart                 Code = 3
	InvalidMsgSize                     Code = 4
	LeaderNotAvailable                 Code = 5
	NotLeaderForPartition              Code = 6
	RequestTimedOut                    Code = 7
	BrokerNotAvailable                 Code = 8
	ReplicaNotAvailable                Code = 9
	MsgSizeTooLarge                    Code = 10
	StaleCtrlEpoch                     Code = 11
	OffsetMetadataTooLarge             Code = 12
	NetworkException                   Code = 13
	CoordinatorLoadInProgress          Code = 14
	CoordinatorNotAvailable            Code = 15
	NotCoordinator                     Code = 16
	TopicException                     Code = 17
	RecordListTooLarge                 Code = 18
	NotEnoughReplicas                  Code = 19
	NotEnoughReplicasAfterAppend       Code = 20
	InvalidRequiredAcks                Code = 21
	IllegalGeneration                  Code = 22
	InconsistentGroupProtocol          Code = 23
	InvalidGroupID                     Code = 24
	UnknownMemberID                    Code = 25
	InvalidSessionTimeout              Code = 26
	RebalanceInProgress                Code = 27
	InvalidCommitOffsetSize            Code = 28
	TopicAuthorizationFailed           Code = 29
	GroupAuthorizationFailed           Code = 30
	ClusterAuthorizationFailed         Code = 31
	InvalidTimestamp                   Code = 32
	UnsupportedSASLMechanism           Code = 33
	IllegalSASLState                   Code = 34
	UnsupportedVersion                 Code = 35
	TopicAlreadyExists                 Code = 36
	InvalidPartitions                  Code = 37
	InvalidReplicationFactor           Code = 38
	InvalidReplicaAssignment           Code = 39
	InvalidConfig                      Code = 40
	NotController                      Code = 41
	InvalidRequest                     Code = 42
	UnsupportedForMessageFormat        Code = 43
	PolicyViolation                    Code = 44
	OutOfOrderSequenceNumber           Code = 45
	DuplicateSequenceNumber            Code = 46
	InvalidProducerEpoch               Code = 47
	InvalidTxnState                    Code = 48
	InvalidProducerIDMapping           Code = 49
	InvalidTransactionTimeout          Code = 50
	ConcurrentTransactions             Code = 51
	TransactionCoordinatorFenced       Code = 52
	TransactionalIDAuthorizationFailed Code = 53
	SecurityDisabled                   Code = 54
	OperationNotAttempted              Code = 55
	KafkaStorageError                  Code = 56
	LogDirNotFound                     Code = 57
	SASLAuthenticationFailed           Code = 58
	UnknownProducerID                  Code = 59
	ReassignmentInProgress             Code = 60
	DelegationTokenAuthDisabled        Code = 61
	DelegationTokenNotFound            Code = 62
	DelegationTokenOwnerMismatch       Code = 63
	DelegationTokenRequestNotAllowed   Code = 64
	DelegationTokenAuthorizationFailed Code = 65
	DelegationTokenExpired             Code = 66
	InvalidPrincipalType               Code = 67
	NonEmptyGroup                      Code = 68
	GroupIDNotFound                    Code = 69
	FetchSessionIDNotFound             Code = 70
	InvalidFetchSessionEpoch           Code = 71
	ListenerNotFound                   Code = 72
	TopicDeletionDisabled              Code = 73
	FencedLeaderEpoch                  Code = 74
	UnknownLeaderEpoch                 Code = 75
	UnsupportedCompressionType         Code = 76
	StaleBrokerEpoch                   Code = 77
	OffsetNotAvailable                 Code = 78
	MemberIDRequired                   Code = 79
	PreferredLeaderNotAvailable        Code = 80
	GroupMaxSizeReached                Code = 81
	FencedInstanceID                   Code = 82
	EligibleLeadersNotAvailable        Code = 83
	ElectionNotNeeded                  Code = 84
	NoReassignmentInProgress           Code = 85
	GroupSubscribedToTopic             Code = 86
	InvalidRecord                      Code = 87
	UnstableOffsetCommit               Code = 88
	ThrottlingQuotaExceeded            Code = 89
	ProducerFenced                     Code = 90
	ResourceNotFound                   Code = 91
	DuplicateResource                  Code = 92
	UnacceptableCredential             Code = 93
	InconsistentVoterSet               Code = 94
	InvalidUpdateVersion               Code = 95
	FeatureUpdateFailed                Code = 96
	PrincipalDeserializationFailure    Code = 97
	UnknownTopicID                     Code = 100
	InconsistentTopicID                Code = 103
	FencedMemberEpoch                  Code = 110
	UnreleasedInstanceID               Code = 111
	UnsupportedAssignor                Code = 112
	StaleMemberEpoch                   Code = 113
	MismatchedEndpointType             Code = 114
	UnsupportedEndpointType            Code = 115
	UnknownControllerID                Code = 116
	UnknownSubscriptionID              Code = 117
	TelemetryTooLarge                  Code = 118
	InvalidRegistration                Code = 119
	TransactionAbortable               Code = 120
	InvalidRecordState                 Code = 121
	ShareSessionNotFound               Code = 122
	InvalidShareSessionEpoch           Code = 123
	FencedStateEpoch                   Code = 124
	InvalidVoterKey                    Code = 125
	DuplicateVoter                     Code = 126
	VoterNotFound                      Code = 127
	InvalidRegularExpression           Code = 128
	RebootstrapRequired                Code = 129
	StreamsInvalidTopology             Code = 130
	StreamsInvalidTopologyEpoch        Code = 131
	StreamsTopologyFenced              Code = 132
	ShareSessionLimitReached           Code = 133
)

// texts holds what librdkafka 2.15.0 calls each code. Name and text are part of what scripts and
// operators compare, so they are librdkafka's to the letter.
var texts = [...]struct {
	code Code
	name string
	text string
}{
	{BadMsg, "_BAD_MSG", "Local: Bad message format"},
	{BadCompression, "_BAD_COMPRESSION", "Local: Invalid compressed data"},
	{Destroy, "_DESTROY", "Local: Broker handle destroyed for termination"},
	{Fail, "_FAIL", "Local: Communication failure with broker"},
	{Transport, "_TRANSPORT", "Local: Broker transport failure"},
	{CritSysResource, "_CRIT_SYS_RESOURCE", "Local: Critical system resource failure"},
	{Resolve, "_RESOLVE", "Local: Host resolution failure"},
	{MsgTimedOut, "_MSG_TIMED_OUT", "Local: Message timed out"},
	{PartitionEOF, "_PARTITION_EOF", "Broker: No more messages"},
	{UnknownPartition, "_UNKNOWN_PARTITION", "Local: Unknown partition"},
	{FS, "_FS", "Local: File or filesystem error"},
	{UnknownTopic, "_UNKNOWN_TOPIC", "Local: Unknown topic"},
	{AllBrokersDown, "_ALL_BROKERS_DOWN", "Local: All broker connections are down"},
	{InvalidArg, "_INVALID_ARG", "Local: Invalid argument or configuration"},
	{TimedOut, "_TIMED_OUT", "Local: Timed out"},
	{QueueFull, "_QUEUE_FULL", "Local: Queue full"},
	{ISRInsuff, "_ISR_INSUFF", "Local: ISR count insufficient"},
	{NodeUpdate, "_NODE_UPDATE", "Local: Broker node update"},
	{SSL, "_SSL", "Local: SSL error"},
	{WaitCoord, "_WAIT_COORD", "Local: Waiting for coordinator"},
	{UnknownGroup, "_UNKNOWN_GROUP", "Local: Unknown group"},
	{InProgress, "_IN_PROGRESS", "Local: Operation in progress"},
	{PrevInProgress, "_PREV_IN_PROGRESS", "Local: Previous operation in progress"},
	{ExistingSubscription, "_EXISTING_SUBSCRIPTION", "Local: Existing subscription"},
	{AssignPartitions, "_ASSIGN_PARTITIONS", "Local: Assign partitions"},
	{RevokePartitions, "_REVOKE_PARTITIONS", "Local: Revoke partitions"},
	{Conflict, "_CONFLICT", "Local: Conflicting use"},
	{State, "_STATE", "Local: Erroneous state"},
	{UnknownProtocol, "_UNKNOWN_PROTOCOL", "Local: Unknown protocol"},
	{NotImplemented, "_NOT_IMPLEMENTED", "Local: Not implemented"},
	{Authentication, "_AUTHENTICATION", "Local: Authentication failure"},
	{NoOffset, "_NO_OFFSET", "Local: No offset stored"},
	{Outdated, "_OUTDATED", "Local: Outdated"},
	{TimedOutQueue, "_TIMED_OUT_QUEUE", "Local: Timed out in queue"},
	{UnsupportedFeature, "_UNSUPPORTED_FEATURE", "Local: Required feature not supported by broker"},
	{WaitCache, "_WAIT_CACHE", "Local: Awaiting cache update"},
	{Interrupted, "_INTR", "Local: Operation interrupted"},
	{KeySerialization, "_KEY_SERIALIZATION", "Local: Key serialization error"},
	{ValueSerialization, "_VALUE_SERIALIZATION", "Local: Value serialization error"},
	{KeyDeserialization, "_KEY_DESERIALIZATION", "Local: Key deserialization error"},
	{ValueDeserialization, "_VALUE_DESERIALIZATION", "Local: Value deserialization error"},
	{Partial, "_PARTIAL", "Local: Partial response"},
	{ReadOnly, "_READ_ONLY", "Local: Read-only object"},
	{NoEntry, "_NOENT", "Local: No such entry"},
	{Underflow, "_UNDERFLOW", "Local: Read underflow"},
	{InvalidType, "_INVALID_TYPE", "Local: Invalid type"},
	{Retry, "_RETRY", "Local: Retry operation"},
	{PurgeQueue, "_PURGE_QUEUE", "Local: Purged in queue"},
	{PurgeInflight, "_PURGE_INFLIGHT", "Local: Purged in flight"},
	{Fatal, "_FATAL", "Local: Fatal error"},
	{Inconsistent, "_INCONSISTENT", "Local: Inconsistent state"},
	{GaplessGuarantee, "_GAPLESS_GUARANTEE", "Local: Gap-less ordering would not be guaranteed if proceeding"},
	{MaxPollExceeded, "_MAX_POLL_EXCEEDED", "Local: Maximum application poll interval (max.poll.interval.ms) exceeded"},
	{UnknownBroker, "_UNKNOWN_BROKER", "Local: Unknown broker"},
	{NotConfigured, "_NOT_CONFIGURED", "Local: Functionality not configured"},
	{Fenced, "_FENCED", "Local: This instance has been fenced by a newer instance"},
	{Application, "_APPLICATION", "Local: Application generated error"},
	{AssignmentLost, "_ASSIGNMENT_LOST", "Local: Group partition assignment lost"},
	{Noop, "_NOOP", "Local: No operation performed"},
	{AutoOffsetReset, "_AUTO_OFFSET_RESET", "Local: No offset to automatically reset to"},
	{LogTruncation, "_LOG_TRUNCATION", "Local: Partition log truncation detected"},
	{InvalidDifferentRecord, "_INVALID_DIFFERENT_RECORD", "Local: an invalid record in the same batch caused the failure of this message too"},
	{DestroyBroker, "_DESTROY_BROKER", "Local: Broker handle destroyed without termination"},
	{Unknown, "UNKNOWN", "Unknown broker error"},
	{NoError, "NO_ERROR", "Success"},
	{OffsetOutOfRange, "OFFSET_OUT_OF_RANGE", "Broker: Offset out of range"},
	{InvalidMsg, "INVALID_MSG", "Broker: Invalid message"},
	{UnknownTopicOrPart, "UNKNOWN_TOPIC_OR_PART", "Broker: Unknown topic or partition"},
	{InvalidMsgSize, "INVALID_MSG_SIZE", "Broker: Invalid message size"},
	{LeaderNotAvailable, "LEADER_NOT_AVAILABLE", "Broker: Leader not available"},
	{NotLeaderForPartition, "NOT_LEADER_FOR_PARTITION", "Broker: Not leader for partition"},
	{RequestTimedOut, "REQUEST_TIMED_OUT", "Broker: Request timed out"},
	{BrokerNotAvailable, "BROKER_NOT_AVAILABLE", "Broker: Broker not available"},
	{ReplicaNotAvailable, "REPLICA_NOT_AVAILABLE", "Broker: Replica not available"},
	{MsgSizeTooLarge, "MSG_SIZE_TOO_LARGE", "Broker: Message size too large"},
	{StaleCtrlEpoch, "STALE_CTRL_EPOCH", "Broker: StaleControllerEpochCode"},
	{OffsetMetadataTooLarge, "OFFSET_METADATA_TOO_LARGE", "Broker: Offset metadata string too large"},
	{NetworkException, "NETWORK_EXCEPTION", "Broker: Broker disconnected before response received"},
	{CoordinatorLoadInProgress, "COORDINATOR_LOAD_IN_PROGRESS", "Broker: Coordinator load in progress"},
	{CoordinatorNotAvailable, "COORDINATOR_NOT_AVAILABLE", "Broker: Coordinator not available"},
	{NotCoordinator, "NOT_COORDINATOR", "Broker: Not coordinator"},
	{TopicException, "TOPIC_EXCEPTION", "Broker: Invalid topic"},
	{RecordListTooLarge, "RECORD_LIST_TOO_LARGE", "Broker: Message batch larger than configured server segment size"},
	{NotEnoughReplicas, "NOT_ENOUGH_REPLICAS", "Broker: Not enough in-sync replicas"},
	{NotEnoughReplicasAfterAppend, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "Broker: Message(s) written to insufficient number of in-sync replicas"},
	{InvalidRequiredAcks, "INVALID_REQUIRED_ACKS", "Broker: Invalid required acks value"},
	{IllegalGeneration, "ILLEGAL_GENERATION", "Broker: Specified group generation id is not valid"},
	{InconsistentGroupProtocol, "INCONSISTENT_GROUP_PROTOCOL", "Broker: Inconsistent group protocol"},
	{InvalidGroupID, "INVALID_GROUP_ID", "Broker: Invalid group.id"},
	{UnknownMemberID, "UNKNOWN_MEMBER_ID", "Broker: Unknown member"},
	{InvalidSessionTimeout, "INVALID_SESSION_TIMEOUT", "Broker: Invalid session timeout"},
	{RebalanceInProgress, "REBALANCE_IN_PROGRESS", "Broker: Group rebalance in progress"},
	{InvalidCommitOffsetSize, "INVALID_COMMIT_OFFSET_SIZE", "Broker: Commit offset data size is not valid"},
	{TopicAuthorizationFailed, "TOPIC_AUTHORIZATION_FAILED", "Broker: Topic authorization failed"},
	{GroupAuthorizationFailed, "GROUP_AUTHORIZATION_FAILED", "Broker: Group authorization failed"},
	{ClusterAuthorizationFailed, "CLUSTER_AUTHORIZATION_FAILED", "Broker: Cluster authorization failed"},
	{InvalidTimestamp, "INVALID_TIMESTAMP", "Broker: Invalid timestamp"},
	{UnsupportedSASLMechanism, "UNSUPPORTED_SASL_MECHANISM", "Broker: Unsupported SASL mechanism"},
	{IllegalSASLState, "ILLEGAL_SASL_STATE", "Broker: Request not valid in current SASL state"},
	{UnsupportedVersion, "UNSUPPORTED_VERSION", "Broker: API version not supported"},
	{TopicAlreadyExists, "TOPIC_ALREADY_EXISTS", "Broker: Topic already exists"},
	{InvalidPartitions, "INVALID_PARTITIONS", "Broker: Invalid number of partitions"},
	{InvalidReplicationFactor, "INVALID_REPLICATION_FACTOR", "Broker: Invalid replication factor"},
	{InvalidReplicaAssignment, "INVALID_REPLICA_ASSIGNMENT", "Broker: Invalid replica assignment"},
	{InvalidConfig, "INVALID_CONFIG", "Broker: Configuration is invalid"},
	{NotController, "NOT_CONTROLLER", "Broker: Not controller for cluster"},
	{InvalidRequest, "INVALID_REQUEST", "Broker: Invalid request"},
	{UnsupportedForMessageFormat, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "Broker: Message format on broker does not support request"},
	{PolicyViolation, "POLICY_VIOLATION", "Broker: Policy violation"},
	{OutOfOrderSequenceNumber, "OUT_OF_ORDER_SEQUENCE_NUMBER", "Broker: Broker received an out of order sequence number"},
	{DuplicateSequenceNumber, "DUPLICATE_SEQUENCE_NUMBER", "Broker: Broker received a duplicate sequence number"},
	{InvalidProducerEpoch, "INVALID_PRODUCER_EPOCH", "Broker: Producer attempted an operation with an old epoch"},
	{InvalidTxnState, "INVALID_TXN_STATE", "Broker: Producer attempted a transactional operation in an invalid state"},
	{InvalidProducerIDMapping, "INVALID_PRODUCER_ID_MAPPING", "Broker: Producer attempted to use a producer id which is not currently assigned to its transactional id"},
	{InvalidTransactionTimeout, "INVALID_TRANSACTION_TIMEOUT", "Broker: Transaction timeout is larger than the maximum value allowed by the broker's max.transaction.timeout.ms"},
	{ConcurrentTransactions, "CONCURRENT_TRANSACTIONS", "Broker: Producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing"},
	{TransactionCoordinatorFenced, "TRANSACTION_COORDINATOR_FENCED", "Broker: Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer"},
	{TransactionalIDAuthorizationFailed, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "Broker: Transactional Id authorization failed"},
	{SecurityDisabled, "SECURITY_DISABLED", "Broker: Security features are disabled"},
	{OperationNotAttempted, "OPERATION_NOT_ATTEMPTED", "Broker: Operation not attempted"},
	{KafkaStorageError, "KAFKA_STORAGE_ERROR", "Broker: Disk error when trying to access log file on disk"},
	{LogDirNotFound, "LOG_DIR_NOT_FOUND", "Broker: The user-specified log directory is not found in the broker config"},
	{SASLAuthenticationFailed, "SASL_AUTHENTICATION_FAILED", "Broker: SASL Authentication failed"},
	{UnknownProducerID, "UNKNOWN_PRODUCER_ID", "Broker: Unknown Producer Id"},
	{ReassignmentInProgress, "REASSIGNMENT_IN_PROGRESS", "Broker: Partition reassignment is in progress"},
	{DelegationTokenAuthDisabled, "DELEGATION_TOKEN_AUTH_DISABLED", "Broker: Delegation Token feature is not enabled"},
	{DelegationTokenNotFound, "DELEGATION_TOKEN_NOT_FOUND", "Broker: Delegation Token is not found on server"},
	{DelegationTokenOwnerMismatch, "DELEGATION_TOKEN_OWNER_MISMATCH", "Broker: Specified Principal is not valid Owner/Renewer"},
	{DelegationTokenRequestNotAllowed, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "Broker: Delegation Token requests are not allowed on this connection"},
	{DelegationTokenAuthorizationFailed, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "Broker: Delegation Token authorization failed"},
	{DelegationTokenExpired, "DELEGATION_TOKEN_EXPIRED", "Broker: Delegation Token is expired"},
	{InvalidPrincipalType, "INVALID_PRINCIPAL_TYPE", "Broker: Supplied principalType is not supported"},
	{NonEmptyGroup, "NON_EMPTY_GROUP", "Broker: The group is not empty"},
	{GroupIDNotFound, "GROUP_ID_NOT_FOUND", "Broker: The group id does not exist"},
	{FetchSessionIDNotFound, "FETCH_SESSION_ID_NOT_FOUND", "Broker: The fetch session ID was not found"},
	{InvalidFetchSessionEpoch, "INVALID_FETCH_SESSION_EPOCH", "Broker: The fetch session epoch is invalid"},
	{ListenerNotFound, "LISTENER_NOT_FOUND", "Broker: No matching listener"},
	{TopicDeletionDisabled, "TOPIC_DELETION_DISABLED", "Broker: Topic deletion is disabled"},
	{FencedLeaderEpoch, "FENCED_LEADER_EPOCH", "Broker: Leader epoch is older than broker epoch"},
	{UnknownLeaderEpoch, "UNKNOWN_LEADER_EPOCH", "Broker: Leader epoch is newer than broker epoch"},
	{UnsupportedCompressionType, "UNSUPPORTED_COMPRESSION_TYPE", "Broker: Unsupported compression type"},
	{StaleBrokerEpoch, "STALE_BROKER_EPOCH", "Broker: Broker epoch has changed"},
	{OffsetNotAvailable, "OFFSET_NOT_AVAILABLE", "Broker: Leader high watermark is not caught up"},
	{MemberIDRequired, "MEMBER_ID_REQUIRED", "Broker: Group member needs a valid member ID"},
	{PreferredLeaderNotAvailable, "PREFERRED_LEADER_NOT_AVAILABLE", "Broker: Preferred leader was not available"},
	{GroupMaxSizeReached, "GROUP_MAX_SIZE_REACHED", "Broker: Consumer group has reached maximum size"},
	{FencedInstanceID, "FENCED_INSTANCE_ID", "Broker: Static consumer fenced by other consumer with same group.instance.id"},
	{EligibleLeadersNotAvailable, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "Broker: Eligible partition leaders are not available"},
	{ElectionNotNeeded, "ELECTION_NOT_NEEDED", "Broker: Leader election not needed for topic partition"},
	{NoReassignmentInProgress, "NO_REASSIGNMENT_IN_PROGRESS", "Broker: No partition reassignment is in progress"},
	{GroupSubscribedToTopic, "GROUP_SUBSCRIBED_TO_TOPIC", "Broker: Deleting offsets of a topic while the consumer group is subscribed to it"},
	{InvalidRecord, "INVALID_RECORD", "Broker: Broker failed to validate record"},
	{UnstableOffsetCommit, "UNSTABLE_OFFSET_COMMIT", "Broker: There are unstable offsets that need to be cleared"},
	{ThrottlingQuotaExceeded, "THROTTLING_QUOTA_EXCEEDED", "Broker: Throttling quota has been exceeded"},
	{ProducerFenced, "PRODUCER_FENCED", "Broker: There is a newer producer with the same transactionalId which fences the current one"},
	{ResourceNotFound, "RESOURCE_NOT_FOUND", "Broker: Request illegally referred to resource that does not exist"},
	{DuplicateResource, "DUPLICATE_RESOURCE", "Broker: Request illegally referred to the same resource twice"},
	{UnacceptableCredential, "UNACCEPTABLE_CREDENTIAL", "Broker: Requested credential would not meet criteria for acceptability"},
	{InconsistentVoterSet, "INCONSISTENT_VOTER_SET", "Broker: Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters"},
	{InvalidUpdateVersion, "INVALID_UPDATE_VERSION", "Broker: Invalid update version"},
	{FeatureUpdateFailed, "FEATURE_UPDATE_FAILED", "Broker: Unable to update finalized features due to server error"},
	{PrincipalDeserializationFailure, "PRINCIPAL_DESERIALIZATION_FAILURE", "Broker: Request principal deserialization failed during forwarding"},
	{UnknownTopicID, "UNKNOWN_TOPIC_ID", "Broker: Unknown topic id"},
	{InconsistentTopicID, "INCONSISTENT_TOPIC_ID", "Broker: The log's topic ID did not match the topic ID in the request"},
	{FencedMemberEpoch, "FENCED_MEMBER_EPOCH", "Broker: The member epoch is fenced by the group coordinator"},
	{UnreleasedInstanceID, "UNRELEASED_INSTANCE_ID", "Broker: The instance ID is still used by another member in the consumer group"},
	{UnsupportedAssignor, "UNSUPPORTED_ASSIGNOR", "Broker: The assignor or its version range is not supported by the consumer group"},
	{StaleMemberEpoch, "STALE_MEMBER_EPOCH", "Broker: The member epoch is stale"},
	{MismatchedEndpointType, "MISMATCHED_ENDPOINT_TYPE", "Broker: The request was sent to an endpoint of the wrong type"},
	{UnsupportedEndpointType, "UNSUPPORTED_ENDPOINT_TYPE", "Broker: This endpoint type is not supported yet"},
	{UnknownControllerID, "UNKNOWN_CONTROLLER_ID", "Broker: This controller ID is not known"},
	{UnknownSubscriptionID, "UNKNOWN_SUBSCRIPTION_ID", "Broker: Client sent a push telemetry request with an invalid or outdated subscription ID"},
	{TelemetryTooLarge, "TELEMETRY_TOO_LARGE", "Broker: Client sent a push telemetry request larger than the maximum size the broker will accept"},
	{InvalidRegistration, "INVALID_REGISTRATION", "Broker: The controller has considered the broker registration to be invalid"},
	{TransactionAbortable, "TRANSACTION_ABORTABLE", "Broker: The server encountered an error with the transaction"},
	{InvalidRecordState, "INVALID_RECORD_STATE", "Broker: The record state is invalid"},
	{ShareSessionNotFound, "SHARE_SESSION_NOT_FOUND", "Broker: The share session was not found"},
	{InvalidShareSessionEpoch, "INVALID_SHARE_SESSION_EPOCH", "Broker: The share session epoch is invalid"},
	{FencedStateEpoch, "FENCED_STATE_EPOCH", "Broker: The share-group state epoch did not match"},
	{InvalidVoterKey, "INVALID_VOTER_KEY", "Broker: The voter key doesn't match the receiving replica's key"},
	{DuplicateVoter, "DUPLICATE_VOTER", "Broker: The voter is already part of the set of voters"},
	{VoterNotFound, "VOTER_NOT_FOUND", "Broker: The voter is not part of the set of voters"},
	{InvalidRegularExpression, "INVALID_REGULAR_EXPRESSION", "Broker: The regular expression is not valid"},
	{RebootstrapRequired, "REBOOTSTRAP_REQUIRED", "Broker: Client metadata is stale, client should rebootstrap to obtain new metadata"},
	{StreamsInvalidTopology, "STREAMS_INVALID_TOPOLOGY", "Broker: The supplied topology is invalid"},
	{StreamsInvalidTopologyEpoch, "STREAMS_INVALID_TOPOLOGY_EPOCH", "Broker: The supplied topology epoch is invalid"},
	{StreamsTopologyFenced, "STREAMS_TOPOLOGY_FENCED", "Broker: The supplied topology epoch is outdated"},
	{ShareSessionLimitReached, "SHARE_SESSION_LIMIT_REACHED", "Broker: The limit of share sessions has been reached"},
}
