// What a daemon counts, for Prometheus.
//
//   Metrics metrics;
//   Counter& stored = metrics.AddCounter("wallprof_collector_stored_total",
//                                        "Profiles stored.", {{"type",
//                                        "cpu"}});
//   stored.Add();
//
// What is added lives as long as the registry; rooms keep the references, which
// are cheap to use from any thread.
#ifndef WALLPROF_FLEET_SERVING_METRICS_H_
#define WALLPROF_FLEET_SERVING_METRICS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wallprof::serving {

// Thread-safe, as are the others.
class Counter {
 public:
  void Add(int64_t count = 1) {
    value_.fetch_add(count, std::memory_order_relaxed);
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double value);
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds` are the upper bounds of the buckets, ascending; the last bucket,
  // which has none, is added.
  explicit Histogram(std::vector<double> bounds);

  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  // Observations in the bucket, not in those below it.
  int64_t count(size_t bucket) const { return counts_[bucket].value(); }
  double sum() const { return sum_.value(); }

 private:
  const std::vector<double> bounds_;
  const std::unique_ptr<Counter[]> counts_;
  Gauge sum_;
};

// Names and values; values may be anything.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Adds one, or finds the one that was added with the same name and labels.
  // One name has one help text, one kind, and always the same label names.
  Counter& AddCounter(std::string_view name, std::string_view help,
                      const MetricLabels& labels = {});
  Gauge& AddGauge(std::string_view name, std::string_view help,
                  const MetricLabels& labels = {});
  // `bounds` are those of the first with this name.
  Histogram& AddHistogram(std::string_view name, std::string_view help,
                          const std::vector<double>& bounds,
                          const MetricLabels& labels = {});

  // A gauge that `read` gives whenever it is asked for, on any thread. What
  // `read` uses must outlive the registry, which it must not ask itself.
  void AddReading(std::string_view name, std::string_view help,
                  std::function<double()> read,
                  const MetricLabels& labels = {});

  // The same of what only grows while the process lives: a counter, whose name
  // ends in _total.
  void AddCountReading(std::string_view name, std::string_view help,
                       std::function<double()> read,
                       const MetricLabels& labels = {});

  // All of them in Prometheus' text format, by name.
  std::string Text() const;

 private:
  struct Family;

  Family& FamilyOf(std::string_view name, std::string_view help,
                   std::string_view kind);

  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
};

// Content type of what Text() gives.
inline constexpr std::string_view kMetricsType =
    "text/plain; version=0.0.4; charset=utf-8";

// Bounds of durations in seconds, from half a millisecond on, and of sizes in
// bytes, 1 KiB to 1 GiB.
std::vector<double> DurationBounds();
std::vector<double> SizeBounds();

}  // namespace wallprof::serving

#endif  // WALLPROF_FLEET_SERVING_METRICS_H_
