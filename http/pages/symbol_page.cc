#include "http/pages/symbol_page.h"

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "http/query.h"

namespace wallprof::http {

namespace {

// nullopt for an address in no function that its object exports.
std::optional<std::string> NameAt(uint64_t address) {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(address), &info) == 0 ||
      info.dli_sname == nullptr) {
    return std::nullopt;
  }
  int failed = 0;
  std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &failed),
      &std::free);
  return demangled != nullptr ? demangled.get() : info.dli_sname;
}

}  // namespace

absl::StatusOr<std::string> SymbolText(std::string_view addresses) {
  std::string text = "num_symbols: 1\n";
  absl::string_view trimmed = absl::StripAsciiWhitespace(
      absl::string_view(addresses.data(), addresses.size()));
  if (trimmed.empty()) return text;
  for (absl::string_view word : absl::StrSplit(trimmed, '+')) {
    uint64_t address = 0;
    if (!absl::StartsWith(word, "0x") || !absl::SimpleHexAtoi(word, &address)) {
      return absl::InvalidArgumentError(
          absl::StrCat("Addresses are 0xADDR+0xADDR; ",
                       Quoted({word.data(), word.size()}), " is none."));
    }
    if (std::optional<std::string> name = NameAt(address)) {
      absl::StrAppend(&text, "0x", absl::Hex(address), " ", *name, "\n");
    }
  }
  return text;
}

}  // namespace wallprof::http
