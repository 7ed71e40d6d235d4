// A program for the guide to profile-guided builds: prices orders by a list of
// rules, most of which are of one kind, as a compiler cannot know.
//
//   shop ROUNDS    prints the sum of all prices, and the seconds that it took
#include <charconv>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <random>
#include <vector>

namespace {

constexpr int kOrders = 4096;
constexpr int kRules = 60;

struct Order {
  double price = 0;
  int quantity = 0;
  int country = 0;
  int day = 0;
};

class Rule {
 public:
  virtual ~Rule() = default;
  virtual bool Applies(const Order& order) const = 0;
  virtual double Apply(const Order& order, double price) const = 0;
};

class Shipping : public Rule {
 public:
  Shipping(int country, double fee) : country_(country), fee_(fee) {}
  bool Applies(const Order& order) const override {
    return order.country == country_;
  }
  double Apply(const Order& order, double price) const override {
    return price + fee_ * order.quantity;
  }

 private:
  const int country_;
  const double fee_;
};

class Season : public Rule {
 public:
  explicit Season(int day) : day_(day) {}
  bool Applies(const Order& order) const override {
    return order.day >= day_ && order.day < day_ + 7;
  }
  double Apply(const Order&, double price) const override {
    return price * 0.95;
  }

 private:
  const int day_;
};

class Bulk : public Rule {
 public:
  explicit Bulk(int quantity) : quantity_(quantity) {}
  bool Applies(const Order& order) const override {
    return order.quantity >= quantity_;
  }
  double Apply(const Order&, double price) const override {
    return price * 0.9;
  }

 private:
  const int quantity_;
};

using Rules = std::vector<std::unique_ptr<Rule>>;

Rules MakeRules() {
  Rules rules;
  for (int i = 0; i < kRules; ++i) {
    if (i % 20 == 7) {
      rules.push_back(std::make_unique<Season>(i));
    } else if (i % 20 == 13) {
      rules.push_back(std::make_unique<Bulk>(990));
    } else {
      rules.push_back(std::make_unique<Shipping>(i, 0.1));
    }
  }
  return rules;
}

std::vector<Order> MakeOrders() {
  std::minstd_rand random(1);
  std::vector<Order> orders(kOrders);
  for (Order& order : orders) {
    order.price = static_cast<double>(random() % 1000);
    order.quantity = static_cast<int>(random() % 1000);
    order.country = static_cast<int>(random() % 200);
    order.day = static_cast<int>(random() % 365);
  }
  return orders;
}

double PriceOf(const Order& order, const Rules& rules) {
  double price = order.price * order.quantity;
  for (const std::unique_ptr<Rule>& rule : rules) {
    if (rule->Applies(order)) {
      price = rule->Apply(order, price);
    }
  }
  return price;
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 0;
  if (argc == 2) {
    std::from_chars(argv[1], argv[1] + std::strlen(argv[1]), rounds);
  }
  if (rounds <= 0) {
    std::cerr << "usage: shop ROUNDS\n";
    return 2;
  }
  const Rules rules = MakeRules();
  const std::vector<Order> orders = MakeOrders();
  const auto start = std::chrono::steady_clock::now();
  double sum = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const Order& order : orders) sum += PriceOf(order, rules);
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  std::cout << sum << ' ' << seconds.count() << '\n';
}
