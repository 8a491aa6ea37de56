// The table of keys that are refused with a reason.
#include "server/foreign_keys.h"

#include <array>

namespace elanus::server {
namespace {

constexpr std::string_view kOneNode = "there is one node, which has everything";
constexpr std::string_view kOneLog = "the log lies in the data folder; see wal.* and streaming.*";
constexpr std::string_view kOneCatalog = "the catalog lies in the data folder";
constexpr std::string_view kNoUsers = "there are no users and roles yet";
constexpr std::string_view kOwnLimit =
    "set the rate of a collection by its properties, as in collection.insertRate.max.mb";
constexpr std::string_view kNotLimited = "these requests are not limited";
constexpr std::string_view kSealed =
    "rows are written when their segment is sealed; see dataCoord.segment.* and "
    "dataCoord.sealPolicy.channel.growingSegmentsMemSize";
constexpr std::string_view kProtected =
    "memory is protected by quotaAndLimits.limitWriting.memProtection and "
    "streaming.unflushedMaxSize";

constexpr auto kKeys = std::to_array<ForeignKey>({
    {"common.bloomFilterApplyBatchSize", "every key is asked for by itself"},
    {"common.bloomFilterSize", "a filter of keys is as large as its segment needs"},
    {"common.bloomFilterType", "filters of keys are split-block Bloom filters"},
    {"common.enableVectorClusteringKey", "a clustering key is a scalar"},
    {"common.maxBloomFalsePositive", "filters of keys have 11 bits a key"},
    {"common.session.", kOneNode},
    {"common.storage.useLoonFFI", "there is one storage format, which has all features"},
    {"common.usePartitionKeyAsClusteringKey", "mark the field as clustering key, too"},
    {"common.useVectorAsClusteringKey", "a clustering key is a scalar"},
    {"dataCoord.compaction.forceMerge.",
     "a compaction maps its inputs and holds a megabyte of its output: memory is no bound"},
    {"dataCoord.compaction.gcInterval", "see dataCoord.compaction.dropTolerance"},
    {"dataCoord.compaction.levelzero.forceTrigger.deltalogMaxNum",
     "a round takes all delta logs of a shard"},
    {"dataCoord.compaction.levelzero.forceTrigger.maxSize",
     "a round takes all delta logs of a shard"},
    {"dataCoord.compaction.maxFullSegmentThreshold", "one way of packing serves all sizes"},
    {"dataCoord.compaction.storageVersion.", "there is one storage version"},
    {"dataCoord.compaction.taskPrioritizer", "what is asked for goes first, then delta logs"},
    {"dataCoord.gc.lob.", "large texts lie in the files of their segments, and go with them"},
    {"dataCoord.gc.slowDownCPUUsageThreshold", "see common.background.nice"},
    {"dataCoord.import.", "there are no imports yet"},
    {"dataCoord.segment.diskSegmentMaxSize",
     "segments are as large whatever their index is; see dataCoord.segment.maxSize"},
    {"dataCoord.segment.maxBinlogFileNumber",
     "a growing segment has no files; it gets them at once when it is sealed"},
    {"dataCoord.segment.sealProportionJitter",
     "flushes wait for each other, so that shards may be due at the same time"},
    {"dataCoord.segmentFlushInterval", "a sealed segment is written at once"},
    {"dataCoord.snapshot.pendingTimeout", "a snapshot is made in one transaction"},
    {"dataCoord.snapshot.restorePinTTLSeconds", "a restore holds its snapshot until it has ended"},
    {"dataNode.segment.", kSealed},
    {"dataNode.slot.",
     "see dataCoord.compaction.maxParallelTaskNum, indexNode.scheduler.buildParallel"},
    {"etcd.", kOneCatalog},
    {"kafka.", kOneLog},
    {"localStorage.path", "the data folder is named by --data"},
    {"metastore.", kOneCatalog},
    {"mixCoord.", kOneNode},
    {"mq.", kOneLog},
    {"msgChannel.", kOneLog},
    {"proxy.maxConnectionNum", "see proxy.grpc.maxConnections"},
    {"proxy.maxPasswordLength", kNoUsers},
    {"proxy.maxRoleNum", kNoUsers},
    {"proxy.maxUserNum", kNoUsers},
    {"proxy.maxUsernameLength", kNoUsers},
    {"proxy.minPasswordLength", kNoUsers},
    {"proxy.replicaSelectionPolicy", kOneNode},
    {"proxy.roleNameValidation.", kNoUsers},
    {"proxy.timeTickInterval", "a read waits for the writes before it, and for no tick"},
    {"pulsar.", kOneLog},
    {"queryCoord.", kOneNode},
    {"queryCoord.loadTimeoutSeconds",
     "a load has no time limit, and is tried again where it fails"},
    {"queryCoord.overloadedMemoryThresholdPercentage",
     "what is loaded stays within queryNode.segcore.tieredStorage.memoryBudget"},
    {"queryNode.grouping.", "searches are not grouped; see queryNode.search.queriesPerTask"},
    {"queryNode.levelZeroForwardPolicy", kOneNode},
    {"queryNode.mmap.growingMmapEnabled", "growing rows lie in memory"},
    {"queryNode.scheduler.unsolvedQueueSize", "see proxy.maxTaskNum"},
    {"quotaAndLimits.compactionRate.", kNotLimited},
    {"quotaAndLimits.dbRate.", kNotLimited},
    {"quotaAndLimits.ddl.", kNotLimited},
    {"quotaAndLimits.dml.", kOwnLimit},
    {"quotaAndLimits.dql.", kOwnLimit},
    {"quotaAndLimits.enabled", "each limit has a key of its own"},
    {"quotaAndLimits.forceDenyAllDDL", kNotLimited},
    {"quotaAndLimits.indexRate.", kNotLimited},
    {"quotaAndLimits.limitWriting.deleteBufferRowCountProtection.", kProtected},
    {"quotaAndLimits.limitWriting.deleteBufferSizeProtection.", kProtected},
    {"quotaAndLimits.limitWriting.growingSegmentsSizeProtection.", kProtected},
    {"quotaAndLimits.limitWriting.l0SegmentsRowCountProtection.", kProtected},
    {"quotaAndLimits.limitWriting.ttProtection.", "there is no tick that could fall behind"},
    {"rocksmq.rocksmqPageSize", "a page is a file of the log; see wal.fileMaxSize"},
    {"rootCoord.maxDatabaseNum", "there is one database yet"},
    {"rootCoord.minSegmentSizeToEnableIndex",
     "see indexCoord.segment.minSegmentNumRowsToEnableIndex"},
    {"streaming.flush.", kSealed},
    {"streaming.walRecovery.", "the log is cut when a flush has ended"},
    {"woodpecker.", kOneLog},
});

}  // namespace

std::span<const ForeignKey> ForeignKeys() { return kKeys; }

const ForeignKey* FindForeignKey(std::string_view key) {
  const ForeignKey* best = nullptr;
  for (const ForeignKey& row : kKeys) {
    const bool is_met = row.key.ends_with('.') ? key.starts_with(row.key) : key == row.key;
    if (is_met && (best == nullptr || row.key.size() > best->key.size())) best = &row;
  }
  return best;
}

}  // namespace elanus::server
