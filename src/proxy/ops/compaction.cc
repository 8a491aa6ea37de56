// Compactions on request, and what is known of segments.
#include "model/requests/compaction.h"

#include "proxy/checks.h"
#include "proxy/ops.h"

namespace elanus::proxy {

Result<roles::CompactionTicket> Compact(Context& ctx, Services& services,
                                        const model::ManualCompactionRequest& request) {
  TRY_ASSIGN(const auto collection,
             DescribeCollection(ctx, services, request.name, request.collection));
  // A target size comes before the others, delta logs before clustering.
  if (request.target_mb < 0) {
    return Invalid("target_size should not be negative, got {}", request.target_mb);
  }
  return services.compaction.Compact(
      ctx, {.collection = collection->id,
            .deletes_only = request.target_mb == 0 && request.deletes_only,
            .is_clustering = request.target_mb == 0 && !request.deletes_only && request.major,
            .target_mb = request.target_mb,
            .partition = request.partition,
            .vchannel = request.vchannel,
            .segments = request.segments});
}

Result<roles::CompactionState> CompactionProgress(Context& ctx, Services& services,
                                                  int64_t ticket) {
  return services.compaction.State(ctx, ticket);
}

}  // namespace elanus::proxy
