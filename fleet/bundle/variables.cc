#include "wallprof/variables.h"

#include <cxxabi.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fleet/bundle/json.h"

namespace wallprof {

struct Variable::Entry {
  std::string name;
  // Of the process that registered it. A forked child finds `mutex` in whatever
  // state, and leaves it alone.
  pid_t pid;
  std::mutex mutex;  // held while `value` runs
  std::function<std::string()> value;
};

class VariableRegistry {
 public:
  // Never destroyed: variables may be static too.
  static VariableRegistry& Get() {
    static VariableRegistry& registry = *new VariableRegistry;
    return registry;
  }

  void Add(const std::shared_ptr<Variable::Entry>& entry) {
    std::lock_guard lock(mutex_);
    entries_.push_back(entry);
  }

  void Remove(const std::shared_ptr<Variable::Entry>& entry) {
    {
      std::lock_guard lock(mutex_);
      entries_.erase(std::find(entries_.begin(), entries_.end(), entry));
    }
    if (entry->pid != getpid()) return;
    std::lock_guard lock(entry->mutex);
    entry->value = nullptr;
  }

  // Text of each, by name.
  std::map<std::string, std::string> Values(
      std::vector<std::string>& problems) {
    std::vector<std::shared_ptr<Variable::Entry>> entries;
    {
      std::lock_guard lock(mutex_);
      entries = entries_;
    }
    std::map<std::string, std::string> values;
    for (const auto& entry : entries) {
      if (std::optional<std::string> value = ValueOf(*entry, problems)) {
        values[entry->name] = *std::move(value);
      }
    }
    return values;
  }

  // Around a fork.
  void Lock() { mutex_.lock(); }
  void Unlock() { mutex_.unlock(); }

 private:
  static std::optional<std::string> ValueOf(
      Variable::Entry& entry, std::vector<std::string>& problems) {
    if (entry.pid != getpid()) return std::nullopt;  // it tells of the parent
    std::lock_guard lock(entry.mutex);
    if (!entry.value) return std::nullopt;
    try {
      std::string value = entry.value();
      if (bundle::Json::accept(value)) return value;
      problems.push_back(absl::StrCat(entry.name, ": not JSON"));
    } catch (const abi::__forced_unwind&) {
      throw;  // of a thread that is cancelled
    } catch (const std::exception& thrown) {
      problems.push_back(absl::StrCat(entry.name, ": threw ", thrown.what()));
    } catch (...) {
      problems.push_back(absl::StrCat(entry.name, ": threw"));
    }
    return std::nullopt;
  }

  std::mutex mutex_;
  std::vector<std::shared_ptr<Variable::Entry>> entries_;
};

namespace {

// When the program is loaded: a child must not find the lock held by a thread
// that it does not have.
[[maybe_unused]] const int g_fork_error =
    pthread_atfork([] { VariableRegistry::Get().Lock(); },
                   [] { VariableRegistry::Get().Unlock(); },
                   [] { VariableRegistry::Get().Unlock(); });

std::string CommandLineJson() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  if (!text.empty() && text.back() == '\0') text.pop_back();
  const std::vector<std::string> words = absl::StrSplit(text, '\0');
  std::string json = bundle::JsonText(words);
  json.pop_back();
  return json;
}

}  // namespace

Variable::Variable(std::string name, std::function<std::string()> value)
    : entry_(std::make_shared<Entry>()) {
  entry_->name = std::move(name);
  entry_->pid = getpid();
  entry_->value = std::move(value);
  VariableRegistry::Get().Add(entry_);
}

Variable::~Variable() { VariableRegistry::Get().Remove(entry_); }

std::string VariablesJson(std::vector<std::string>& problems) {
  std::map<std::string, std::string> values =
      VariableRegistry::Get().Values(problems);
  values.try_emplace("cmdline", CommandLineJson());
  std::string json = "{\n";
  for (const auto& [name, value] : values) {
    std::string key = bundle::JsonText(name);
    key.pop_back();
    absl::StrAppend(&json, json.size() > 2 ? ",\n" : "", key, ": ", value);
  }
  return json + "\n}\n";
}

}  // namespace wallprof
