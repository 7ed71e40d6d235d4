// Names of addresses, for pprof clients that meet one without. The profiles
// served here are symbolized already; old tools ask all the same.
#ifndef WALLPROF_HTTP_PAGES_SYMBOL_PAGE_H_
#define WALLPROF_HTTP_PAGES_SYMBOL_PAGE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace wallprof::http {

// `addresses` is "0x1234+0x5678". After the line "num_symbols: 1", which says
// that names are to be had, a line "0xADDR name" for each that has one.
// InvalidArgument naming what is not an address.
absl::StatusOr<std::string> SymbolText(std::string_view addresses);

}  // namespace wallprof::http

#endif  // WALLPROF_HTTP_PAGES_SYMBOL_PAGE_H_
