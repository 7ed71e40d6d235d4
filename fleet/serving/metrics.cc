#include "fleet/serving/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace wallprof::serving {
namespace {

// name="value" pairs joined by commas, as they stand between braces.
std::string TextOf(const MetricLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    absl::StrAppend(&text, text.empty() ? "" : ",", name, "=\"",
                    absl::StrReplaceAll(
                        value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
                    "\"");
  }
  return text;
}

// The shortest digits that are read back as the same number.
std::string Digits(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value);
  return std::string(digits, end.ptr);
}

void AddLine(std::string& text, const std::string& name,
             const std::string& labels, const std::string& value) {
  if (labels.empty()) {
    absl::StrAppend(&text, name, " ", value, "\n");
  } else {
    absl::StrAppend(&text, name, "{", labels, "} ", value, "\n");
  }
}

void AddLines(std::string& text, const std::string& name,
              const std::string& labels, const Histogram& histogram) {
  const std::string before = absl::StrCat(labels, labels.empty() ? "" : ",");
  int64_t count = 0;
  for (size_t i = 0; i <= histogram.bounds().size(); ++i) {
    count += histogram.count(i);
    const std::string bound =
        i < histogram.bounds().size() ? Digits(histogram.bounds()[i]) : "+Inf";
    AddLine(text, absl::StrCat(name, "_bucket"),
            absl::StrCat(before, "le=\"", bound, "\""), absl::StrCat(count));
  }
  AddLine(text, absl::StrCat(name, "_sum"), labels, Digits(histogram.sum()));
  AddLine(text, absl::StrCat(name, "_count"), labels, absl::StrCat(count));
}

// The one with these labels, made if there is none.
template <typename Map, typename... Arguments>
auto& FindOrMake(Map& map, const MetricLabels& labels,
                 const Arguments&... arguments) {
  using Kind = typename Map::mapped_type::element_type;
  auto& place = map[TextOf(labels)];
  if (place == nullptr) place = std::make_unique<Kind>(arguments...);
  return *place;
}

}  // namespace

// All with one name, by their labels' text. One of the maps is used.
struct Metrics::Family {
  std::string help;
  std::string kind;
  std::vector<double> bounds;  // of histograms
  std::map<std::string, std::unique_ptr<Counter>> counters;
  std::map<std::string, std::unique_ptr<Gauge>> gauges;
  std::map<std::string, std::function<double()>> readings;
  std::map<std::string, std::unique_ptr<Histogram>> histograms;
};

void Gauge::Add(double value) {
  double seen = value_.load(std::memory_order_relaxed);
  while (!value_.compare_exchange_weak(seen, seen + value,
                                       std::memory_order_relaxed)) {
  }
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new Counter[bounds_.size() + 1]) {}

void Histogram::Observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<size_t>(bucket - bounds_.begin())].Add();
  sum_.Add(value);
}

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Metrics::Family& Metrics::FamilyOf(std::string_view name, std::string_view help,
                                   std::string_view kind) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    found =
        families_.emplace(std::string(name), std::make_unique<Family>()).first;
    found->second->help = std::string(help);
    found->second->kind = std::string(kind);
  }
  return *found->second;
}

Counter& Metrics::AddCounter(std::string_view name, std::string_view help,
                             const MetricLabels& labels) {
  std::lock_guard<std::mutex> lock(mutex_);
  return FindOrMake(FamilyOf(name, help, "counter").counters, labels);
}

Gauge& Metrics::AddGauge(std::string_view name, std::string_view help,
                         const MetricLabels& labels) {
  std::lock_guard<std::mutex> lock(mutex_);
  return FindOrMake(FamilyOf(name, help, "gauge").gauges, labels);
}

Histogram& Metrics::AddHistogram(std::string_view name, std::string_view help,
                                 const std::vector<double>& bounds,
                                 const MetricLabels& labels) {
  std::lock_guard<std::mutex> lock(mutex_);
  Family& family = FamilyOf(name, help, "histogram");
  if (family.histograms.empty()) family.bounds = bounds;
  return FindOrMake(family.histograms, labels, family.bounds);
}

void Metrics::AddReading(std::string_view name, std::string_view help,
                         std::function<double()> read,
                         const MetricLabels& labels) {
  std::lock_guard<std::mutex> lock(mutex_);
  FamilyOf(name, help, "gauge").readings[TextOf(labels)] = std::move(read);
}

void Metrics::AddCountReading(std::string_view name, std::string_view help,
                              std::function<double()> read,
                              const MetricLabels& labels) {
  std::lock_guard<std::mutex> lock(mutex_);
  FamilyOf(name, help, "counter").readings[TextOf(labels)] = std::move(read);
}

std::string Metrics::Text() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const auto& [name, family] : families_) {
    absl::StrAppend(&text, "# HELP ", name, " ", family->help, "\n# TYPE ",
                    name, " ", family->kind, "\n");
    for (const auto& [labels, counter] : family->counters) {
      AddLine(text, name, labels, absl::StrCat(counter->value()));
    }
    for (const auto& [labels, gauge] : family->gauges) {
      AddLine(text, name, labels, Digits(gauge->value()));
    }
    for (const auto& [labels, read] : family->readings) {
      AddLine(text, name, labels, Digits(read()));
    }
    for (const auto& [labels, histogram] : family->histograms) {
      AddLines(text, name, labels, *histogram);
    }
  }
  return text;
}

std::vector<double> DurationBounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
          0.1,    0.25,  0.5,    1,     2.5,  5,     10};
}

std::vector<double> SizeBounds() {
  std::vector<double> bounds;
  for (double bound = 1024; bound <= 1024.0 * 1024 * 1024; bound *= 4) {
    bounds.push_back(bound);
  }
  return bounds;
}

}  // namespace wallprof::serving
