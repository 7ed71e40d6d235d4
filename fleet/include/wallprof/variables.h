// A program's own numbers, by name, as JSON: entry `expvar` of its bundles, and
// what the embedded server answers to /debug/vars.
//
//   wallprof::Counter requests("requests");
//   ...
//   requests.Add(1);
//
//   wallprof::Variable queue("queue_length", [&] {
//     return std::to_string(queue.size());
//   });
//
// A variable is registered while the object lives. All of this is thread-safe.
#ifndef WALLPROF_VARIABLES_H_
#define WALLPROF_VARIABLES_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wallprof {

// A value that is asked for when it is wanted.
class Variable {
 public:
  // `value` gives JSON. It is called as a DataSource is (bundle.h), and must
  // not make or destroy variables. Where it throws or gives no JSON, it is left
  // out, alone, and the bundle says so. Of two variables of one name the later
  // shows.
  Variable(std::string name, std::function<std::string()> value);

  // Waits for a call of `value` that is under way.
  ~Variable();
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  struct Entry;
  friend class VariableRegistry;

  std::shared_ptr<Entry> entry_;
};

// A number that goes up and down.
class Counter {
 public:
  explicit Counter(std::string name)
      : variable_(std::move(name), [this] { return std::to_string(value()); }) {
  }

  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  void Set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
  Variable variable_;  // last, as it may be asked as long as it lives
};

// All variables, and `cmdline` as Go's expvar has it: an object, one to a line,
// by name. `problems` gets a sentence for each that was left out.
std::string VariablesJson(std::vector<std::string>& problems);

}  // namespace wallprof

#endif  // WALLPROF_VARIABLES_H_
