// Code in which lines and inlined functions are hard to tell. Compiled in many
// ways by the tests, which look for the lines marked "// at NAME".

// An instruction that stays where it is written.
#define MARK(n) asm volatile("nop" : "+r"(n))

extern "C" __attribute__((noinline, cold)) int wp_complain(int n) {
  MARK(n);  // at complain
  return n;
}

extern "C" __attribute__((noinline)) int wp_count(int n) {
  MARK(n);  // at count
  return n + 1;
}

namespace {

inline __attribute__((always_inline)) int Third(int n) {
  MARK(n);  // at third
  return n + 3;
}

struct Scale {
  int by;

  template <typename T>
  __attribute__((always_inline)) T Second(T n) const {
    MARK(n);               // at second
    return Third(n) * by;  // at call of third
  }
};

inline __attribute__((always_inline)) int First(int n) {
  MARK(n);                         // at first
  return Scale{n}.Second<int>(n);  // at call of second
}

__attribute__((noinline)) int Hidden(int n) {
  MARK(n);  // at hidden
  return n * 5;
}

}  // namespace

namespace service {

// at start of serve
__attribute__((noinline)) int Serve(int n) {
  MARK(n);             // at serve
  int sum = First(n);  // at call of first
  MARK(sum);
  return sum;
}

// What is hardly ever reached is put elsewhere, as Parse.cold.
__attribute__((noinline)) int Parse(int n) {
  MARK(n);  // at parse
  if (__builtin_expect(n < 0, 0)) {
    wp_complain(n);
    MARK(n);  // at cold
    wp_complain(n);
  }
  return n;
}

template <typename Function>
__attribute__((noinline)) int Twice(const Function& function) {
  int sum = function(1);
  MARK(sum);  // at twice
  return sum + function(2);
}

}  // namespace service

extern "C" int wp_run(int n) {
  const auto add = [&n](int k) __attribute__((noinline)) {
    MARK(k);  // at lambda
    return k + n;
  };
  struct Local {
    __attribute__((noinline)) int Run(int n) {
      MARK(n);  // at local
      return n * 2;
    }
  };
  return service::Serve(n) + service::Parse(n) + service::Twice(add) +
         Hidden(n) + wp_count(n) + Local().Run(n);
}

// Several pieces of code on one line, one line's code several times over.

namespace {

inline __attribute__((always_inline)) int Pick(int n) {
  return n < 0 ? wp_count(n) : n > 5 ? wp_complain(n * 3) : 1;  // at pick
}

}  // namespace

extern "C" __attribute__((noinline)) int wp_pieces(const int* values, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += Pick(values[i]) + Pick(i);  // at pieces
  return n > 7 ? Pick(sum) : Pick(n);
}

extern "C" __attribute__((noinline)) void wp_scale(float* to, const float* from,
                                                   int n) {
  for (int i = 0; i < n; ++i) to[i] += from[i] * 3;  // at scale
}
