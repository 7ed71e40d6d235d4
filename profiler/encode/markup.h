// Text for XML and HTML. Names come from programs and may be any bytes.
#ifndef WALLPROF_PROFILER_ENCODE_MARKUP_H_
#define WALLPROF_PROFILER_ENCODE_MARKUP_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace wallprof {

// `text` with U+FFFD for what is not UTF-8 or no character of XML.
std::string ValidText(std::string_view text);

// ValidText with what means something in markup written as entities: fit for
// the content of an element and for an attribute in double quotes.
std::string MarkupText(std::string_view text);

// The first `most` characters of a valid text, the last two of them ".." if
// that is not all. Empty where fewer than three would be left of a longer one.
std::string Shortened(std::string_view valid, size_t most);

}  // namespace wallprof

#endif  // WALLPROF_PROFILER_ENCODE_MARKUP_H_
