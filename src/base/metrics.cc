// Families of series, kept and written by prometheus-cpp, which is seen here only.
#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "base/check.h"

namespace elanus {
namespace {

prometheus::Registry& OfProcess() {
  static prometheus::Registry registry;
  return registry;
}

prometheus::Histogram::BucketBoundaries PowersOfTwo() {
  prometheus::Histogram::BucketBoundaries powers;
  for (double power = 1; power <= 131072; power *= 2) powers.push_back(power);
  return powers;
}

// The series of a family by their labels: the library's own look-up makes a map of texts each time.
template <class Metric>
class Series {
 public:
  template <class Builder>
  Series(Builder builder, const char* name, const char* help, LabelNames labels)
      : family_(builder.Name(name).Help(help).Labels({{"node_id", "1"}}).Register(OfProcess())),
        labels_(labels) {}

  // Calls fn(metric), which is not dropped meanwhile. `arguments` make a new one.
  template <class Fn, class... Arguments>
  void With(LabelValues values, Fn fn, const Arguments&... arguments) {
    CHECK(values.size() == labels_.size());
    thread_local std::string key;
    key.clear();
    for (std::string_view value : values) (key += value) += '\0';
    {
      const std::shared_lock<std::shared_mutex> lock(mutex_);
      const auto found = known_.find(key);
      if (found != known_.end()) return fn(*found->second.metric);
    }
    const std::unique_lock<std::shared_mutex> lock(mutex_);
    Known& known = known_[key];
    if (known.metric == nullptr) {
      prometheus::Labels labels;
      for (std::string_view value : values) {
        labels[labels_[known.values.size()]] = value;
        known.values.emplace_back(value);
      }
      known.metric = &family_.Add(labels, arguments...);
    }
    fn(*known.metric);
  }

  void Forget(LabelValues last_values) {
    const std::unique_lock<std::shared_mutex> lock(mutex_);
    std::erase_if(known_, [&](const auto& entry) {
      const std::vector<std::string>& values = entry.second.values;
      auto value = values.end() - static_cast<ptrdiff_t>(last_values.size());
      for (std::string_view last : last_values) {
        if (*value++ != last) return false;
      }
      family_.Remove(entry.second.metric);
      return true;
    });
  }

 private:
  struct Known {
    Metric* metric = nullptr;
    std::vector<std::string> values;
  };
  prometheus::Family<Metric>& family_;
  const std::vector<const char*> labels_;
  std::shared_mutex mutex_;  // Guards the map.
  std::map<std::string, Known> known_;
};

}  // namespace

struct CounterFamily::Impl : Series<prometheus::Counter> {
  using Series::Series;
};
struct GaugeFamily::Impl : Series<prometheus::Gauge> {
  using Series::Series;
};
struct HistogramFamily::Impl : Series<prometheus::Histogram> {
  using Series::Series;
};

CounterFamily::CounterFamily(const char* name, const char* help, LabelNames labels)
    : impl_(std::make_unique<Impl>(prometheus::BuildCounter(), name, help, labels)) {}
CounterFamily::~CounterFamily() = default;
void CounterFamily::Add(LabelValues values, double by) {
  impl_->With(values, [&](prometheus::Counter& counter) { counter.Increment(by); });
}
void CounterFamily::Forget(LabelValues last_values) { impl_->Forget(last_values); }

GaugeFamily::GaugeFamily(const char* name, const char* help, LabelNames labels)
    : impl_(std::make_unique<Impl>(prometheus::BuildGauge(), name, help, labels)) {}
GaugeFamily::~GaugeFamily() = default;
void GaugeFamily::Add(LabelValues values, double by) {
  impl_->With(values, [&](prometheus::Gauge& gauge) { gauge.Increment(by); });
}

HistogramFamily::HistogramFamily(const char* name, const char* help, LabelNames labels)
    : impl_(std::make_unique<Impl>(prometheus::BuildHistogram(), name, help, labels)) {}
HistogramFamily::~HistogramFamily() = default;
void HistogramFamily::Observe(LabelValues values, double value) {
  static const prometheus::Histogram::BucketBoundaries kBuckets = PowersOfTwo();
  impl_->With(
      values, [&](prometheus::Histogram& histogram) { histogram.Observe(value); }, kBuckets);
}
void HistogramFamily::Forget(LabelValues last_values) { impl_->Forget(last_values); }

std::string MetricsText() { return prometheus::TextSerializer().Serialize(OfProcess().Collect()); }

}  // namespace elanus
