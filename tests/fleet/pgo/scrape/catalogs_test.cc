// Nomad and Consul.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "fleet/pgo/scrape/sources/consul_targets.h"
#include "fleet/pgo/scrape/sources/nomad_targets.h"
#include "fleet/pgo/scrape/sources/open.h"
#include "tests/fleet/pgo/scrape/api_stand_in.h"

namespace wallprof::pgo {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() {
    options_.app = "shop";
    options_.variable = [this](const char* name) { return variables_[name]; };
    options_.warn = [this](const fleet::LogLine& line) {
      told_.push_back(line.text());
    };
  }

  std::unique_ptr<TargetSource> Open(SourceKind kind) {
    auto source = OpenTargets(kind, "", options_);
    EXPECT_TRUE(source.ok()) << source.status();
    return *std::move(source);
  }

  ApiStandIn api_;
  std::map<std::string, std::string> variables_;
  SourceOptions options_;
  std::vector<std::string> told_;
};

class NomadTest : public CatalogTest {
 protected:
  NomadTest() {
    variables_["NOMAD_ADDR"] = api_.url() + "/";
    api_.Say("/v1/services?", "nomad_services");
    api_.Say("/v1/service/shop?namespace=default", "nomad_shop");
    api_.Say("/v1/service/shop?namespace=blue", "nomad_shop_blue");
    source_ = Open(SourceKind::kNomad);
  }

  std::unique_ptr<TargetSource> source_;
};

TEST_F(NomadTest, ServicesOfAllNamespaces) {
  EXPECT_EQ(source_->name(), "nomad");
  EXPECT_EQ(ListText(*source_),
            "http://10.0.0.7:29702/p 1.4.2\n"
            "http://[fd00::9]:29703/debug/pprof/profile \n"
            "https://10.0.1.7:20001/debug/pprof/profile \n");
  // Those of others are not asked for.
  EXPECT_THAT(api_.asked(),
              ElementsAre("GET /v1/services?namespace=%2A HTTP/1.1",
                          "GET /v1/service/shop?namespace=default HTTP/1.1",
                          "GET /v1/service/shop?namespace=blue HTTP/1.1"));
  EXPECT_THAT(api_.head(), Not(HasSubstr("X-Nomad-Token")));
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(told_[0], AllOf(HasSubstr("_nomad-task-bb-shop-http"),
                              HasSubstr("it has no address")));
  ListText(*source_);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(NomadTest, VariablesSayWhereAndAsWhom) {
  variables_["NOMAD_TOKEN"] = "secret";
  variables_["NOMAD_NAMESPACE"] = "blue";
  variables_["NOMAD_REGION"] = "eu";
  source_ = Open(SourceKind::kNomad);
  ListText(*source_);
  EXPECT_EQ(api_.asked()[0],
            "GET /v1/services?namespace=blue&region=eu HTTP/1.1");
  EXPECT_THAT(api_.head(), HasSubstr("X-Nomad-Token: secret\r\n"));
}

TEST_F(NomadTest, ServicesThatAreGoneMeanwhileAreNoError) {
  api_.Say("/v1/service/shop?namespace=default", "404 Not Found", "");
  EXPECT_EQ(ListText(*source_),
            "https://10.0.1.7:20001/debug/pprof/profile \n");
  api_.Say("/v1/service/shop?namespace=default", "200 OK", "[]");
  EXPECT_EQ(ListText(*source_),
            "https://10.0.1.7:20001/debug/pprof/profile \n");
}

TEST_F(NomadTest, ErrorsAreTold) {
  api_.Say("/v1/service/shop?namespace=blue", "500 No", "no leader\n");
  EXPECT_THAT(ListText(*source_), HasSubstr("status 500: no leader"));
  api_.Say("/v1/services", "403 Forbidden", "Permission denied");
  EXPECT_EQ(ListText(*source_),
            api_.url() + "/v1/services: status 403: Permission denied");
  api_.Say("/v1/services", "200 OK", "{}");
  EXPECT_THAT(ListText(*source_), HasSubstr("no list of Nomad's"));
  api_.SayHalf("/v1/services", "nomad_services");
  EXPECT_THAT(ListText(*source_), HasSubstr("bytes remaining"));
  EXPECT_FALSE(source_->Check().ok());
  api_.Say("/v1/status/leader", "200 OK", "\"10.0.0.1:4647\"");
  EXPECT_TRUE(source_->Check().ok());
}

class ConsulTest : public CatalogTest {
 protected:
  ConsulTest() {
    variables_["CONSUL_HTTP_ADDR"] = api_.url().substr(sizeof("http://") - 1);
    api_.Say("/v1/catalog/services", "consul_services");
    api_.Say("/v1/catalog/service/shop", "consul_shop");
    source_ = Open(SourceKind::kConsul);
  }

  std::unique_ptr<TargetSource> source_;
};

TEST_F(ConsulTest, ServicesAreAtTheirAddressOrTheirNodes) {
  EXPECT_EQ(source_->name(), "consul");
  EXPECT_EQ(ListText(*source_),
            "http://172.17.0.3:5000/debug/pprof/profile \n"
            "http://192.168.10.11:5001/debug/pprof/profile 2\n");
  EXPECT_THAT(api_.asked(),
              ElementsAre("GET /v1/catalog/services HTTP/1.1",
                          "GET /v1/catalog/service/shop HTTP/1.1"));
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_THAT(told_[0], AllOf(HasSubstr("service shop shop-3"),
                              HasSubstr("port \\'0\\' is none")));
}

TEST_F(ConsulTest, VariablesSayWhereAndAsWhom) {
  variables_["CONSUL_HTTP_ADDR"] = api_.url();
  variables_["CONSUL_HTTP_TOKEN"] = "secret";
  variables_["CONSUL_NAMESPACE"] = "team a";
  source_ = Open(SourceKind::kConsul);
  ListText(*source_);
  EXPECT_EQ(api_.asked()[1],
            "GET /v1/catalog/service/shop?ns=team%20a "
            "HTTP/1.1");
  EXPECT_THAT(api_.head(), HasSubstr("X-Consul-Token: secret\r\n"));
  variables_["CONSUL_HTTP_TOKEN"] = "";
  const std::string path =
      ::testing::TempDir() + "catalogs_test.token." + std::to_string(getpid());
  variables_["CONSUL_HTTP_TOKEN_FILE"] = path;
  for (const std::string token : {"one", "two"}) {
    std::ofstream(path) << token << "\n";
    ListText(*source_);
    EXPECT_THAT(api_.head(), HasSubstr("X-Consul-Token: " + token + "\r\n"));
  }
  remove(path.c_str());
}

TEST_F(ConsulTest, ErrorsAreTold) {
  api_.Say("/v1/catalog/service/", "500 No", "rpc error: No cluster leader");
  EXPECT_THAT(ListText(*source_), HasSubstr("No cluster leader"));
  api_.Say("/v1/catalog/services", "403 Forbidden", "ACL not found");
  EXPECT_EQ(ListText(*source_),
            api_.url() + "/v1/catalog/services: status 403: ACL not found");
  EXPECT_THAT(source_->Check().message(), HasSubstr("ACL not found"));
  api_.Say("/v1/catalog/services", "200 OK", "[]");
  EXPECT_THAT(ListText(*source_), HasSubstr("no list of Consul's"));
}

TEST_F(CatalogTest, WhatVariablesSayWrong) {
  const auto error = [this](SourceKind kind) {
    return std::string(OpenTargets(kind, "", options_).status().message());
  };
  variables_["NOMAD_ADDR"] = "10.0.0.1:4646";
  EXPECT_THAT(error(SourceKind::kNomad),
              HasSubstr("NOMAD_ADDR is wrong: it must begin with http"));
  variables_["NOMAD_ADDR"] = "";
  variables_["NOMAD_CACERT"] = "/there/is/none.pem";
  EXPECT_THAT(error(SourceKind::kNomad),
              HasSubstr("NOMAD_CACERT: /there/is/none.pem: No such file"));
  variables_["CONSUL_HTTP_ADDR"] = "ftp://a";
  EXPECT_THAT(error(SourceKind::kConsul), HasSubstr("CONSUL_HTTP_ADDR"));
}

TEST_F(CatalogTest, AddressesMayHaveASchemeOrNone) {
  // Nobody speaks TLS here.
  variables_["CONSUL_HTTP_ADDR"] = api_.url().substr(sizeof("http://") - 1);
  variables_["CONSUL_HTTP_SSL"] = "true";
  options_.request_timeout = absl::Milliseconds(50);
  EXPECT_THAT(ListText(*Open(SourceKind::kConsul)), HasSubstr("https://127"));
}

TEST_F(CatalogTest, AddressesMayBeSockets) {
  const std::string path =
      ::testing::TempDir() + "catalogs_test.socket." + std::to_string(getpid());
  remove(path.c_str());
  fleet::RawServer server(
      [](fleet::RawConnection& connection) {
        connection.Send(fleet::RawAnswer("200 OK", "{}"));
      },
      path);
  variables_["CONSUL_HTTP_ADDR"] = "unix://" + path;
  EXPECT_EQ(ListText(*Open(SourceKind::kConsul)), "");
  EXPECT_THAT(server.asked(), ElementsAre("GET /v1/catalog/services HTTP/1.1"));
  remove(path.c_str());
}

}  // namespace
}  // namespace wallprof::pgo
