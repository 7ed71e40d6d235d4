#include "fleet/pgo/scrape/sources/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_replace.h"

namespace wallprof::pgo {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kConfig[] = R"(
apiVersion: v1
kind: Config
preferences: {}
current-context: prod
contexts:
- context: {cluster: minikube, user: minikube}
  name: minikube
- context:
    cluster: east
    namespace: shop
    user: robot
  name: prod
clusters:
- name: minikube
  cluster: {server: "https://192.168.49.2:8443"}
- name: east
  cluster:
    certificate-authority-data: Y2VydGlmaWNhdGU=
    server: https://10.0.0.1:6443/
users:
- name: minikube
  user: {token: no}
- name: robot
  user:
    token: abc
)";

class KubeconfigTest : public ::testing::Test {
 protected:
  KubeconfigTest() { std::filesystem::create_directories(directory_); }
  ~KubeconfigTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }

  absl::StatusOr<ClusterAccess> Read(const std::string& text) {
    Write("config", text);
    return ReadKubeconfig(directory_ + "/config");
  }

  // Of the config with the robot's token replaced by this.
  absl::StatusOr<ClusterAccess> ReadAs(const std::string& user) {
    return Read(absl::StrReplaceAll(kConfig, {{"token: abc", user}}));
  }

  absl::StatusOr<ClusterAccess> ReadAt(const std::string& cluster) {
    return Read(absl::StrReplaceAll(
        kConfig, {{"certificate-authority-data: Y2VydGlmaWNhdGU=", cluster}}));
  }

  const std::string directory_ =
      ::testing::TempDir() + "kubeconfig_test." + std::to_string(getpid());
};

TEST_F(KubeconfigTest, TheCurrentContextCounts) {
  const auto access = Read(kConfig);
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->certificates, "certificate");
  EXPECT_EQ(access->token, "abc");
  EXPECT_EQ(access->client_key, "");
}

TEST_F(KubeconfigTest, FilesAreNamedFromWhereItIs) {
  Write("ca.crt", "authority");
  Write("token", "from a file\n");
  Write("key.pem", "key");
  auto access = ReadAt("certificate-authority: ca.crt");
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->certificates, "authority");
  access = ReadAs(
      "tokenFile: token\n    token: other\n"
      "    client-certificate-data: Y2VydA==\n"
      "    client-key: " +
      directory_ + "/key.pem");
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->token, "from a file");
  EXPECT_EQ(access->client_certificate, "cert");
  EXPECT_EQ(access->client_key, "key");
  EXPECT_THAT(ReadAs("tokenFile: none").status().message(),
              AllOf(HasSubstr("/config: "), HasSubstr("/none: No such file")));
  EXPECT_THAT(ReadAs("client-key-data: '?'").status().message(),
              HasSubstr("client-key-data is not in base64"));
}

TEST_F(KubeconfigTest, WithoutAUserNobodyIsShown) {
  const auto access =
      Read(absl::StrReplaceAll(kConfig, {{"    user: robot\n", ""}}));
  ASSERT_TRUE(access.ok()) << access.status();
  EXPECT_EQ(access->token, "");
}

TEST_F(KubeconfigTest, WhatIsNotSupportedIsSaid) {
  EXPECT_THAT(
      ReadAs("exec: {command: aws, args: [eks, get-token]}").status().message(),
      HasSubstr("the user 'robot' has exec, which is not supported; give a "
                "token, a tokenFile or a client certificate"));
  for (const char* user : {"auth-provider: {name: gcp}", "username: a",
                           "password: b", "as: admin"}) {
    EXPECT_THAT(ReadAs(user).status().message(), HasSubstr("not supported"))
        << user;
  }
  for (const char* cluster : {"insecure-skip-tls-verify: true",
                              "tls-server-name: a", "proxy-url: http://b"}) {
    EXPECT_THAT(ReadAt(cluster).status().message(),
                HasSubstr("the cluster 'east' has"))
        << cluster;
  }
  EXPECT_TRUE(ReadAt("insecure-skip-tls-verify: false").ok());
}

TEST_F(KubeconfigTest, WhatIsWrongIsSaid) {
  const auto error = [this](const std::string& from, const std::string& to) {
    return std::string(
        Read(absl::StrReplaceAll(kConfig, {{from, to}})).status().message());
  };
  EXPECT_THAT(error("current-context: prod", ""),
              HasSubstr("/config: there is no current-context"));
  EXPECT_THAT(error("current-context: prod", "current-context: test"),
              HasSubstr("no context 'test' in contexts"));
  EXPECT_THAT(error("cluster: east", "cluster: west"),
              HasSubstr("no cluster 'west' in clusters"));
  EXPECT_THAT(error("user: robot", "user: man"),
              HasSubstr("no user 'man' in users"));
  EXPECT_THAT(error("https://10.0.0.1:6443/", "10.0.0.1"),
              HasSubstr("the server '10.0.0.1' cannot be"));
  EXPECT_THAT(std::string(Read("a: [").status().message()),
              AllOf(HasSubstr("/config: error at line"), HasSubstr("column")));
  EXPECT_THAT(std::string(Read("[]").status().message()),
              HasSubstr("it is no kubeconfig"));
  EXPECT_FALSE(Read("contexts: 5\ncurrent-context: a").ok());
  EXPECT_FALSE(Read("contexts: [5]\ncurrent-context: a").ok());
  EXPECT_FALSE(Read("").ok());
  EXPECT_THAT(std::string(ReadKubeconfig("/there/is/none").status().message()),
              HasSubstr("/there/is/none: No such file"));
}

TEST_F(KubeconfigTest, PodsAreToldByTheirCluster) {
  std::map<std::string, std::string> variables;
  const auto read = [&] {
    return ReadServiceAccount([&](const char* name) { return variables[name]; },
                              directory_);
  };
  EXPECT_THAT(std::string(read().status().message()),
              StartsWith("this is no pod of a cluster"));
  variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"},
               {"KUBERNETES_SERVICE_PORT", "443"}};
  EXPECT_THAT(std::string(read().status().message()), HasSubstr("/token: No"));
  Write("token", "first\n");
  Write("ca.crt", "authority");
  EXPECT_EQ(read()->server, "https://[fd00::1]:443");
  EXPECT_EQ(read()->token, "first");
  EXPECT_EQ(read()->certificates, "authority");
  Write("token", "second\n");
  variables["KUBERNETES_SERVICE_HOST"] = "10.96.0.1";
  EXPECT_EQ(read()->server, "https://10.96.0.1:443");
  EXPECT_EQ(read()->token, "second");
}

}  // namespace
}  // namespace wallprof::pgo
