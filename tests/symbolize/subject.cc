// Functions of every kind that a symbol table can have. Nothing calls them;
// the tests look for their names.
#include <ostream>
#include <string>

#define KEEP __attribute__((used, noinline))

extern "C" {

// The replacement has everything at other addresses.
#ifdef SUBJECT_REPLACED
KEEP int wp_newcomer(int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += i * sum ^ n;
  return sum;
}
#endif

KEEP int wp_plain(int n) { return n * 7 + 1; }

// One function, four names; callers say wp_receive.
KEEP int __wp_receive(int n) { return n * 11 + 3; }
int wp_receive(int) __attribute__((weak, alias("__wp_receive")));
int _wp_receive(int) __attribute__((alias("__wp_receive")));
static int ReceiveLocally(int) __attribute__((alias("__wp_receive"), used));

__attribute__((visibility("hidden"))) KEEP int wp_hidden(int n) {
  return n * 13 + 5;
}

KEEP int wp_versioned_now(int n) { return n * 17 + 7; }
__asm__(".symver wp_versioned_now, wp_versioned@@WP_2");

static int (*ResolveIndirect())(int) { return wp_plain; }
int wp_indirect(int) __attribute__((ifunc("ResolveIndirect")));
}

namespace subject {

KEEP void Print(std::ostream& out, const std::string& text) { out << text; }

template <typename T>
KEEP T Twice(T value) {
  return value + value;
}
template double Twice<double>(double);

static KEEP int Private(int n) { return n * 19 + 9; }

}  // namespace subject

// A section of its own, so that what follows its symbols is known:
// 0: wp_label, no type, no size    8: wp_next, the same
// 16: wp_outer, a function of 16 bytes, with wp_inner inside it at 24
// 32: 8 bytes of nobody's    40: wp_last, no type, no size    48: end, and
// a section without symbols
__asm__(R"(
  .section wp_assembly, "ax", @progbits
  .balign 16
  .globl wp_label, wp_next, wp_outer, wp_inner, wp_last
wp_label:
  .fill 8, 1, 0x90
wp_next:
  .fill 8, 1, 0x90
  .type wp_outer, @function
wp_outer:
  .fill 8, 1, 0x90
wp_inner:
  .fill 8, 1, 0x90
  .size wp_outer, . - wp_outer
  .fill 8, 1, 0x90
wp_last:
  .fill 8, 1, 0x90
  .section wp_padding, "ax", @progbits
  .fill 16, 1, 0x90
  .text
)");
