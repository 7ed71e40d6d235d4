#include "fleet/serving/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace wallprof::serving {
namespace {

TEST(MetricsTest, AreInPrometheusTextFormat) {
  Metrics metrics;
  metrics.AddCounter("b_total", "Things.", {{"kind", "a \"q\"\\\n"}}).Add(3);
  metrics.AddCounter("b_total", "Things.", {{"kind", "b"}}).Add();
  metrics.AddGauge("a_bytes", "Room.").Set(1.5);
  metrics.AddReading("c", "Read.", [] { return 7.0; });
  metrics.AddCountReading("c_total", "Counted.", [] { return 8.0; });
  Histogram& h =
      metrics.AddHistogram("d_seconds", "Time.", {0.1, 1}, {{"code", "200"}});
  h.Observe(0.1);
  h.Observe(0.5);
  h.Observe(30);
  EXPECT_EQ(metrics.Text(),
            "# HELP a_bytes Room.\n# TYPE a_bytes gauge\na_bytes 1.5\n"
            "# HELP b_total Things.\n# TYPE b_total counter\n"
            "b_total{kind=\"a \\\"q\\\"\\\\\\n\"} 3\nb_total{kind=\"b\"} 1\n"
            "# HELP c Read.\n# TYPE c gauge\nc 7\n"
            "# HELP c_total Counted.\n# TYPE c_total counter\nc_total 8\n"
            "# HELP d_seconds Time.\n# TYPE d_seconds histogram\n"
            "d_seconds_bucket{code=\"200\",le=\"0.1\"} 1\n"
            "d_seconds_bucket{code=\"200\",le=\"1\"} 2\n"
            "d_seconds_bucket{code=\"200\",le=\"+Inf\"} 3\n"
            "d_seconds_sum{code=\"200\"} 30.6\n"
            "d_seconds_count{code=\"200\"} 3\n");
}

TEST(MetricsTest, OneNameAndLabelsAreOneCounter) {
  Metrics metrics;
  Counter& counter = metrics.AddCounter("a", "", {{"x", "1"}});
  EXPECT_EQ(&counter, &metrics.AddCounter("a", "", {{"x", "1"}}));
  EXPECT_NE(&counter, &metrics.AddCounter("a", "", {{"x", "2"}}));
}

TEST(MetricsTest, NothingIsLostBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 10000;
  Metrics metrics;
  Histogram& histogram = metrics.AddHistogram("h", "", {1});
  Gauge& gauge = metrics.AddGauge("g", "");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kTimes; ++j) {
        metrics.AddCounter("c", "").Add();
        histogram.Observe(2);
        gauge.Add(j % 2 == 0 ? 1 : -1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.AddCounter("c", "").value(), kThreads * kTimes);
  EXPECT_EQ(histogram.count(0), 0);
  EXPECT_EQ(histogram.count(1), kThreads * kTimes);
  EXPECT_EQ(histogram.sum(), 2.0 * kThreads * kTimes);
  EXPECT_EQ(gauge.value(), 0);
}

TEST(MetricsTest, BoundsAscend) {
  for (const std::vector<double>& bounds : {DurationBounds(), SizeBounds()}) {
    EXPECT_GT(bounds.size(), 5u);
    EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  }
}

}  // namespace
}  // namespace wallprof::serving
