// Every operation a client can ask for, as free functions of context, services and request, which
// `wire` calls. Errors are those of the operation's row in the error model; nothing is stored when
// an operation fails.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/requests/collection.h"
#include "model/requests/compaction.h"
#include "model/requests/data.h"
#include "model/requests/schema_change.h"
#include "model/requests/search_aggregation.h"
#include "model/requests/text.h"
#include "proxy/services.h"

namespace elanus::proxy {

// -- Collections ----------------------------------------------------------------------------------
Status CreateCollection(Context& ctx, Services& services, model::CreateCollectionRequest request);
Status DropCollection(Context& ctx, Services& services, const model::CollectionName& name);
Result<bool> HasCollection(Context& ctx, Services& services, const model::CollectionName& name);
/// By name, or by `id` when the name is empty. The message of a missing one holds "can't find
/// collection".
Result<roles::CollectionSnapshot> DescribeCollection(Context& ctx, Services& services,
                                                     const model::CollectionName& name,
                                                     CollectionId id);
/// All of a database, or those that are named, which have to be loaded. kCollectionNotLoaded.
Result<std::vector<roles::CollectionSnapshot>> ListCollections(
    Context& ctx, Services& services, const std::string& database,
    const std::vector<std::string>& loaded = {});
Status RenameCollection(Context& ctx, Services& services, const model::CollectionName& from,
                        const std::string& to);
/// Removes every row that was written before. Schema, partitions, indexes, properties and load
/// state stay, and so do snapshots.
Status TruncateCollection(Context& ctx, Services& services, const model::CollectionName& name);
/// Sets properties or removes some, not both. Takes effect on reads at once.
Status AlterCollection(Context& ctx, Services& services, const model::CollectionName& name,
                       const std::vector<model::KeyValue>& set,
                       const std::vector<std::string>& remove);
/// Stored rows, deletes not subtracted. An empty partition: all.
Result<int64_t> CountRows(Context& ctx, Services& services, const model::CollectionName& name,
                          const std::string& partition);

// -- Schemas of collections that live. Every shard works by the new one when they return.
// ----------
/// A nullable field; rows that are there read as its default, else as null.
Status AddField(Context& ctx, Services& services, const model::CollectionName& name,
                const model::FieldSchema& field);
/// A BM25 or MinHash function with the field that it fills and the field's index. Rows that are not
/// flushed have the field when this returns, others get it in the background; until then they are
/// not found by it. Also kServiceUnavailable (that is switched off).
Status AddFunctionField(Context& ctx, Services& services, const model::CollectionName& name,
                        const model::NewFunctionField& added);
/// A nullable struct.
Status AddStruct(Context& ctx, Services& services, const model::CollectionName& name,
                 const model::NewStruct& added);
/// A field, a struct or a function, with the indexes on what goes.
Status DropFromSchema(Context& ctx, Services& services, const model::CollectionName& name,
                      const model::SchemaDrop& drop);
/// Whether rows may have keys besides their fields.
Status SetDynamicField(Context& ctx, Services& services, const model::CollectionName& name,
                       bool enabled);
/// Limits, description, and how its column is held. Also kFieldNotFound, kCollectionLoaded.
Status AlterField(Context& ctx, Services& services, const model::CollectionName& name,
                  const std::string& field, const model::ParamChange& wanted);
/// Functions over fields that are there; none that the server runs on what is stored (BM25).
Status AddFunction(Context& ctx, Services& services, const model::CollectionName& name,
                   const model::FunctionSchema& function);
Status AlterFunction(Context& ctx, Services& services, const model::CollectionName& name,
                     const std::string& function_name, const model::FunctionSchema& function);
/// Its output becomes a field as others. Unknown: success.
Status DropFunction(Context& ctx, Services& services, const model::CollectionName& name,
                    const std::string& function_name);

// -- Partitions -----------------------------------------------------------------------------------
Status CreatePartition(Context& ctx, Services& services, const model::CollectionName& name,
                       std::string partition);
Status DropPartition(Context& ctx, Services& services, const model::CollectionName& name,
                     std::string partition);
Result<bool> HasPartition(Context& ctx, Services& services, const model::CollectionName& name,
                          std::string partition);

// -- Indexes --------------------------------------------------------------------------------------
Status CreateIndex(Context& ctx, Services& services, const model::CreateIndexRequest& request);
/// Empty field and index names: all. kIndexNotFound when there is none.
Result<std::vector<model::IndexDescription>> DescribeIndex(Context& ctx, Services& services,
                                                           const model::CollectionName& name,
                                                           const std::string& field,
                                                           const std::string& index_name);
/// How the index is held when it is loaded next. Also kIndexNotFound, kCollectionLoaded.
Status AlterIndex(Context& ctx, Services& services, const model::CollectionName& name,
                  const std::string& index, const model::ParamChange& change);
Status DropIndex(Context& ctx, Services& services, const model::CollectionName& name,
                 const std::string& field, const std::string& index_name);

// -- Loading --------------------------------------------------------------------------------------
/// Empty partitions: the collection. Fields that are left out are unknown to reads. Also
/// kFieldNotFound, kIndexNotFound.
Status Load(Context& ctx, Services& services, const model::CollectionName& name,
            const std::vector<std::string>& partitions, const model::LoadFields& fields = {});
Status Release(Context& ctx, Services& services, const model::CollectionName& name,
               const std::vector<std::string>& partitions);
/// 0..100; kCollectionNotLoaded, kPartitionNotLoaded.
Result<int64_t> LoadProgress(Context& ctx, Services& services, const model::CollectionName& name,
                             const std::vector<std::string>& partitions);
Result<model::LoadState> GetLoadState(Context& ctx, Services& services,
                                      const model::CollectionName& name,
                                      const std::vector<std::string>& partitions);

// -- Rows -----------------------------------------------------------------------------------------
Result<model::MutationResult> Write(Context& ctx, Services& services, model::WriteRequest request);
Result<model::MutationResult> Delete(Context& ctx, Services& services,
                                     const model::DeleteRequest& request);
Result<model::FlushResult> Flush(Context& ctx, Services& services, const std::string& database,
                                 const std::vector<std::string>& collections);
/// True when everything up to `timestamp` is in the object store.
Result<bool> IsFlushed(Context& ctx, Services& services, const model::CollectionName& name,
                       Timestamp timestamp);
/// Queues what there is to compact: small segments are merged, deleted and expired rows go. A
/// ticket of -1: there is nothing to do. Errors: kCollectionNotFound, kServiceUnavailable,
/// kUnimplemented.
Result<roles::CompactionTicket> Compact(Context& ctx, Services& services,
                                        const model::ManualCompactionRequest& request);
Result<roles::CompactionState> CompactionProgress(Context& ctx, Services& services, int64_t ticket);
Result<model::SearchResult> Search(Context& ctx, Services& services, model::SearchRequest request);
/// A search whose answer are buckets of its hits. Errors: those of Search.
Result<model::AggregatedResult> SearchAndAggregate(Context& ctx, Services& services,
                                                   model::SearchRequest request);
/// All searches read at one moment; one that fails fails all.
Result<model::SearchResult> HybridSearch(Context& ctx, Services& services,
                                         model::HybridSearchRequest request);
Result<model::QueryResult> Query(Context& ctx, Services& services,
                                 const model::QueryRequest& request);

// -- Words ----------------------------------------------------------------------------------------
/// The tokens of each text. Errors: kInvalidParameter, kSegcore (the analyzer),
/// kCollectionNotLoaded.
Result<std::vector<std::vector<model::AnalyzedToken>>> RunAnalyzer(
    Context& ctx, Services& services, const model::RunAnalyzerRequest& request);
/// The least slop with which phrase_match finds a phrase in each text; none: whatever the slop, it
/// does not. Errors: kSegcore (the analyzer).
Result<std::vector<std::optional<uint32_t>>> PhraseSlops(Context& ctx,
                                                         const model::PhraseSlopRequest& request);
/// As Search, with fragments of texts in which words are marked. Errors: kInvalidParameter besides.
Result<model::HighlightedResult> SearchAndHighlight(Context& ctx, Services& services,
                                                    model::SearchRequest request,
                                                    const model::Highlighter& highlighter);

// -- Snapshots, see roles::Snapshots --------------------------------------------------------------
Status CreateSnapshot(Context& ctx, Services& services, model::CreateSnapshotRequest request);
Status DropSnapshot(Context& ctx, Services& services, const model::CollectionName& collection,
                    const std::string& name);
Result<std::vector<std::string>> ListSnapshots(Context& ctx, Services& services,
                                               const model::CollectionName& collection);
Result<model::SnapshotInfo> DescribeSnapshot(Context& ctx, Services& services,
                                             const model::CollectionName& collection,
                                             const std::string& name);
/// The id of a job.
Result<int64_t> RestoreSnapshot(Context& ctx, Services& services,
                                const model::CollectionName& collection, const std::string& name,
                                const model::CollectionName& target);
/// kRestoreJobNotFound.
Result<model::RestoreJob> GetRestoreJob(Services& services, int64_t id);
/// Those into `target`; of an empty name all of its database. kDatabaseNotFound.
Result<std::vector<model::RestoreJob>> ListRestoreJobs(Context& ctx, Services& services,
                                                       const model::CollectionName& target);
Result<int64_t> PinSnapshot(Context& ctx, Services& services,
                            const model::CollectionName& collection, const std::string& name,
                            int64_t ttl_s);
Status UnpinSnapshot(Context& ctx, Services& services, int64_t pin);

}  // namespace elanus::proxy
