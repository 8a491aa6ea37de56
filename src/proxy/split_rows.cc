// Rows to shards and partitions.
#include "proxy/split_rows.h"

#include <algorithm>

#include "model/partition_key.h"
#include "model/shard_of.h"

namespace elanus::proxy {
namespace {

using model::Column;

Column Like(const Column& column) {
  Column like =
      model::MakeColumn(column.field_id, column.name, column.type, column.element_type, column.dim);
  like.is_dynamic = column.is_dynamic;
  return like;
}

const Column* FindColumn(const std::vector<Column>& columns, FieldId field) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return column.field_id == field; });
  return found == columns.end() ? nullptr : &*found;
}

// Places in a list of shards times partitions.
struct Buckets {
  size_t shards = 1;
  size_t partitions = 1;
  std::vector<uint32_t> of_row;
  std::vector<uint32_t> sizes;

  uint32_t At(size_t shard, size_t partition) const {
    return static_cast<uint32_t>(shard * partitions + partition);
  }
};

Buckets BucketsOf(const model::CollectionInfo& collection, const std::vector<Column>& columns,
                  const Column& new_keys) {
  Buckets buckets{
      .shards = collection.vchannels.size(), .partitions = 1, .of_row = {}, .sizes = {}};
  const model::FieldSchema* key = collection.schema.partition_key();
  const Column* values = key == nullptr ? nullptr : FindColumn(columns, key->id);
  if (values != nullptr) buckets.partitions = collection.partitions.size();
  buckets.sizes.resize(buckets.shards * buckets.partitions);
  const model::ColumnView keys = new_keys.view();
  const model::ColumnView of_partition = values == nullptr ? model::ColumnView() : values->view();
  for (size_t row = 0; row < keys.rows; ++row) {
    const size_t partition =
        values == nullptr ? 0 : model::PartitionOfKey(of_partition, row, buckets.partitions);
    const uint32_t at = buckets.At(model::ShardOf(keys, row, buckets.shards), partition);
    buckets.of_row.push_back(at);
    ++buckets.sizes[at];
  }
  return buckets;
}

// The columns of every bucket; none for an empty one.
std::vector<std::vector<Column>> Distribute(std::vector<Column> columns, const Buckets& buckets) {
  std::vector<std::vector<Column>> parts(buckets.sizes.size());
  if (columns.empty() || buckets.of_row.empty()) return parts;
  if (buckets.sizes[buckets.of_row[0]] == buckets.of_row.size()) {
    parts[buckets.of_row[0]] = std::move(columns);
    return parts;
  }
  for (size_t b = 0; b < parts.size(); ++b) {
    if (buckets.sizes[b] == 0) continue;
    for (const Column& column : columns) {
      parts[b].push_back(Like(column));
      parts[b].back().data.reserve(size_t{buckets.sizes[b]} * column.width());
    }
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    const model::ColumnView view = columns[c].view();
    for (size_t row = 0; row < view.rows; ++row) {
      parts[buckets.of_row[row]][c].AppendRow(view, row);
    }
    columns[c] = Column();  // Not held twice longer than it must be.
  }
  return parts;
}

}  // namespace

std::vector<model::ShardWrite> SplitRows(const model::CollectionInfo& collection,
                                         PartitionId partition, std::vector<Column> columns,
                                         const Column& new_keys, Column delete_keys) {
  const bool by_key = collection.schema.partition_key() != nullptr;
  const Buckets buckets = BucketsOf(collection, columns, new_keys);
  auto parts = Distribute(std::move(columns), buckets);
  std::vector<model::ShardWrite> writes(buckets.shards);
  for (size_t s = 0; s < buckets.shards; ++s) {
    model::ShardWrite& write = writes[s];
    write.vchannel = collection.vchannels[s];
    write.collection = collection.id;
    write.partition = partition;
    write.deletes_everywhere = by_key && partition == PartitionId();
    write.schema_version = collection.schema.version;
    for (size_t p = 0; p < buckets.partitions; ++p) {
      std::vector<Column>& rows = parts[buckets.At(s, p)];
      if (rows.empty()) continue;
      const PartitionId id = by_key ? collection.partitions[p].id : partition;
      if (!write.columns.empty()) {
        write.more.push_back({.partition = id, .columns = std::move(rows)});
        continue;
      }
      write.partition = id;
      write.columns = std::move(rows);
    }
  }
  if (buckets.shards == 1) {
    writes[0].delete_keys = std::move(delete_keys);
    return writes;
  }
  const model::ColumnView deleted = delete_keys.view();
  for (size_t row = 0; row < deleted.rows; ++row) {
    model::ShardWrite& write = writes[model::ShardOf(deleted, row, buckets.shards)];
    if (write.delete_keys.type == model::DataType::kNone) write.delete_keys = Like(delete_keys);
    write.delete_keys.AppendRow(deleted, row);
  }
  return writes;
}

}  // namespace elanus::proxy
