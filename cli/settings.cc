#include "cli/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace wallprof::cli {
namespace {

constexpr char kConfig[] = "--config";

[[noreturn]] void Throw(const std::string& path, const toml::source_region& at,
                        const std::string& what) {
  throw CLI::ValidationError(absl::StrCat(path, ":", at.begin.line), what);
}

// Whether the option is one of those that a file may have.
bool IsSetting(const CLI::App& verb, const CLI::Option* option) {
  return !option->get_lnames().empty() && option != verb.get_help_ptr() &&
         option->get_lnames().front() != "version" &&
         option->get_lnames().front() != &kConfig[2];
}

// A value as it would be written after the flag; nullopt for what is no value
// of any flag.
std::optional<std::string> FlagText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) {
    return absl::StrCat(number->get());
  }
  if (const auto* number = node.as_floating_point()) {
    return absl::StrCat(number->get());
  }
  if (const auto* flag = node.as_boolean()) {
    return flag->get() ? "true" : "false";
  }
  return std::nullopt;
}

// As FlagText, of one or several.
std::optional<std::vector<std::string>> FlagTexts(const toml::node& node) {
  std::vector<std::string> texts;
  const toml::array* several = node.as_array();
  const size_t count = several == nullptr ? 1 : several->size();
  for (size_t i = 0; i < count; ++i) {
    std::optional<std::string> text =
        FlagText(several == nullptr ? node : (*several)[i]);
    if (!text) return std::nullopt;
    texts.push_back(*std::move(text));
  }
  return texts;
}

// Makes the file's value the option's default.
void Apply(const std::string& path, const std::string& key,
           const toml::node& node, CLI::Option& option) {
  const std::optional<std::vector<std::string>> texts = FlagTexts(node);
  if (!texts) {
    Throw(path, node.source(),
          absl::StrCat(key,
                       " must be a string, a number, true or false, or an "
                       "array of them"));
  }
  if (texts->empty()) {
    Throw(path, node.source(), absl::StrCat(key, " has no value"));
  }
  if (texts->size() > 1 && option.get_expected_max() <= 1) {
    Throw(path, node.source(), absl::StrCat(key, " is one value"));
  }
  try {
    option.run_callback_for_default()->default_val(absl::StrJoin(*texts, ","));
  } catch (const CLI::Error& error) {
    Throw(path, node.source(), absl::StrCat(key, ": ", error.what()));
  }
  option.required(false);
}

void ApplyFile(CLI::App& verb, const std::string& path) {
  // Whoever asks for help gets it, whatever the file is like.
  if (verb.get_help_ptr()->count() > 0) return;
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    if (error.source().begin.line == 0) {
      throw CLI::ValidationError(path, std::string(error.description()));
    }
    Throw(path, error.source(), std::string(error.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    CLI::Option* option = verb.get_option_no_throw(absl::StrCat("--", name));
    if (option == nullptr || !IsSetting(verb, option)) {
      Throw(path, key.source(), absl::StrCat("there is no option ", name));
    }
    Apply(path, name, node, *option);
  }
}

}  // namespace

void AddConfigFile(CLI::App& verb) {
  // The first, so that it is read before the values of the others are set:
  // CLI11 goes through them in the order of their names' appearance.
  verb.add_option_function<std::string>(
          kConfig, [&verb](const std::string& path) { ApplyFile(verb, path); },
          "TOML file of options: listen = \"127.0.0.1:10100\" is --listen. "
          "Flags and variables stand before it")
      ->type_name("FILE");
}

void AddVariables(CLI::App& verb, const std::vector<std::string>& prefixes) {
  for (CLI::Option* option : verb.get_options()) {
    if (option->get_lnames().empty() || option == verb.get_help_ptr() ||
        option->get_lnames().front() == "version") {
      continue;
    }
    std::string name = option->get_lnames().front();
    absl::AsciiStrToUpper(&name);
    name = absl::StrReplaceAll(name, {{"-", "_"}});
    const auto set = std::find_if(
        prefixes.begin(), prefixes.end(), [&name](const std::string& prefix) {
          const char* value = std::getenv((prefix + name).c_str());
          return value != nullptr && *value != '\0';
        });
    option->envname((set == prefixes.end() ? prefixes.front() : *set) + name);
  }
}

absl::Duration DurationOf(const std::string& text) {
  absl::Duration duration;
  absl::ParseDuration(text, &duration);
  return duration;
}

std::string CheckDuration(const std::string& text) {
  return DurationOf(text) > absl::ZeroDuration()
             ? ""
             : absl::StrCat(text,
                            " is not a duration above zero, as 10s or 1m");
}

}  // namespace wallprof::cli
