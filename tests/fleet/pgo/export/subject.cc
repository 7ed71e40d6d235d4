// A program with what profiles can tell: a branch that is hardly ever taken,
// functions that are inlined, and virtual calls that mostly reach one function.
//
//   subject MILLISECONDS
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#define KEEP __attribute__((noinline))

namespace {

constexpr int kNumbers = 4096;

class Price {
 public:
  virtual ~Price() = default;
  virtual uint64_t Of(uint64_t order) const = 0;
};

class Usual : public Price {
 public:
  uint64_t Of(uint64_t order) const override {
    uint64_t price = order;
    for (int i = 0; i < 20; ++i) price += price >> 3 ^ order * i;
    return price;
  }
};

class Seldom : public Price {
 public:
  uint64_t Of(uint64_t order) const override { return order * 3; }
};

inline uint64_t Mixed(uint64_t x) {
  x ^= x >> 33;
  if (x % 1024 == 7) {
    x += 77;
    x *= x;
  } else {
    x *= 0xff51afd7ed558ccd;
  }
  return x;
}

inline uint64_t MixedTwice(uint64_t x) { return Mixed(Mixed(x) + 1); }

}  // namespace

KEEP uint64_t Hash(const uint64_t* numbers) {
  uint64_t hash = 0;
  for (int i = 0; i < kNumbers; ++i) hash = MixedTwice(hash ^ numbers[i]);
  return hash;
}

KEEP uint64_t Total(const Price* const* prices, const uint64_t* numbers) {
  uint64_t total = 0;
  for (int i = 0; i < kNumbers; ++i) {
    total += prices[numbers[i] % 64 == 0]->Of(numbers[i]);
  }
  return total;
}

KEEP void Fill(uint64_t* numbers, uint64_t seed) {
  for (int i = 0; i < kNumbers; ++i) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    numbers[i] = seed >> 20;
  }
}

int main(int, char** arguments) {
  const clock_t end = clock() + atol(arguments[1]) * (CLOCKS_PER_SEC / 1000);
  static uint64_t numbers[kNumbers];
  const Usual usual;
  const Seldom seldom;
  const Price* const prices[] = {&usual, &seldom};
  uint64_t sum = 0;
  while (clock() < end) {
    for (int i = 0; i < 20; ++i) {
      Fill(numbers, sum);
      sum += Hash(numbers) + Total(prices, numbers);
    }
  }
  std::printf("%d\n", static_cast<int>(sum & 1));
}
