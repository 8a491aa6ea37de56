// The parameters of a search as they stand in a request, read and checked one by one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/requests/shard.h"
#include "model/schema.h"
#include "proxy/options.h"

namespace elanus::proxy {

struct GroupParams {
  std::vector<std::string> fields;  // As written; empty: no grouping.
  bool is_list = false;             // The request has the form for several fields.
  int64_t size = 1;
  bool is_strict = false;  // Groups are filled up to the size, however long that takes.
  std::string json_path;   // A JSON pointer into the field.
  std::string json_type;   // What its values are.
  bool strict_cast = false;

  bool is_on() const { return !fields.empty(); }
};

struct SearchParams {
  int64_t top_k = 0;
  int64_t offset = 0;
  bool ignore_growing = false;
  bool iterator = false;                        // Pages of one moment.
  std::optional<model::IteratorCursor> cursor;  // The second form of iterators.
  std::string metric;
  int64_t round_decimal = -1;
  std::map<std::string, std::string> index_params;
  std::optional<double> radius;
  std::optional<double> range_filter;
  GroupParams group;
  std::string order_by;
  bool wants_recall = false;
  bool iterative_filter = false;           // The hint.
  std::optional<model::ElementFold> fold;  // element_scope.
};

/// What kind of search the parameters are of.
struct SearchForm {
  bool is_part = false;       // Of a hybrid search: the offset does not count.
  int64_t top_k_default = 0;  // Of a part that names none; 0: it must be named.
  // The hits go into buckets: so they are grouped, and so many groups are looked for.
  std::optional<GroupParams> buckets;
  int64_t buckets_max = 0;
};

/// Which analyzer texts that are searched for want, by a parameter of the search or of `params`
/// within; "default" where none does.
std::string AnalyzerNameOf(const std::vector<model::KeyValue>& list);

/// The parameters of one search in the steps in which they are looked at: of two mistakes the
/// client is told the one of the earlier step, and other checks come between the steps. Errors of
/// all: kInvalidParameter.
class SearchParamsReader {
 public:
  /// Borrows what it is given.
  SearchParamsReader(const ProxyOptions& options, const std::vector<model::KeyValue>& list,
                     const SearchForm& form)
      : options_(options), list_(list), form_(form) {}

  /// ignore_growing.
  Status ReadGrowing();
  /// What buckets do not go with.
  Status CheckBuckets() const;
  /// topk and offset, and the metric without a look at it. Also kMissingParameter.
  Status ReadWindow();
  /// round_decimal, then what is in `params`, then what kind of search it is (pages, groups, an
  /// order), and whether that goes together. Also kMissingParameter; kSegcore (a hint that nobody
  /// knows).
  Status ReadRest(CollectionId collection);

  const SearchParams& params() const { return params_; }

 private:
  const ProxyOptions& options_;
  const std::vector<model::KeyValue>& list_;
  const SearchForm& form_;
  SearchParams params_;
};

/// The grouping alone.
Result<GroupParams> ParseGroupParams(const ProxyOptions& options,
                                     const std::vector<model::KeyValue>& list);

/// limit and offset of an answer, each and their sum within the limit of the options.
Status CheckWindow(const ProxyOptions& options, int64_t top_k, int64_t offset);
/// -1 or 0..6; absent: -1.
Result<int64_t> ParseRoundDecimal(const std::vector<model::KeyValue>& list);

/// The keys of a grouping in the collection. Errors: kFieldNotFound, kInvalidParameter,
/// kSegcoreUnsupported (values of a type that are not grouped).
Result<model::Grouping> ResolveGrouping(const model::CollectionSchema& schema,
                                        const GroupParams& params);

/// A number as JSON or as text. kInvalidParameter naming `key`.
Result<double> ParseNumber(std::string_view key, std::string_view text);

/// Pieces between `mark`s that stand outside of brackets and quotes, without the blanks around.
std::vector<std::string> SplitOutside(std::string_view text, char mark);

}  // namespace elanus::proxy
