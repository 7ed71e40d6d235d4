// A module that throws: through frames with destructors, caught by type.
#include <stdexcept>
#include <string>

namespace {

struct Counted {
  explicit Counted(int& counter) : counter(counter) {}
  ~Counted() { ++counter; }
  int& counter;
};

__attribute__((noinline)) void Throw(int depth, int& unwound) {
  Counted counted(unwound);
  if (depth == 0) throw std::runtime_error(std::string(100, 'x'));
  Throw(depth - 1, unwound);
}

}  // namespace

// How many of `times` exceptions were caught with all destructors run.
extern "C" int ThrowMany(int times) {
  constexpr int kDepth = 20;
  int whole = 0;
  for (int i = 0; i < times; ++i) {
    int unwound = 0;
    try {
      Throw(kDepth, unwound);
    } catch (const std::exception& thrown) {
      whole += unwound == kDepth + 1 && thrown.what()[0] == 'x';
    }
  }
  return whole;
}
