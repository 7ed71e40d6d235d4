// The examples of Amazon's S3 API reference, "Signature Calculations for the
// Authorization Header: Transferring Payload in a Single Chunk".
#include "fleet/objects/signature.h"

#include <gtest/gtest.h>

namespace wallprof::objects {
namespace {

constexpr char kHost[] = "examplebucket.s3.amazonaws.com";

class SignatureTest : public ::testing::Test {
 protected:
  // The signature of `request` and `body`, as in those examples.
  std::string SignatureOf(UnsignedRequest request, std::string_view body = "") {
    request.headers["host"] = kHost;
    Sign(credentials_, "us-east-1", time_, body, request);
    const std::string& value = request.headers["authorization"];
    EXPECT_EQ(value.rfind("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"
                          "20130524/us-east-1/s3/aws4_request,SignedHeaders=",
                          0),
              0u)
        << value;
    return value.substr(value.rfind('=') + 1);
  }

  Credentials credentials_ = {"AKIAIOSFODNN7EXAMPLE",
                              "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const absl::Time time_ = absl::FromUnixSeconds(1369353600);
};

TEST_F(SignatureTest, GetObject) {
  EXPECT_EQ(SignatureOf({"GET", "/test.txt", {}, {{"range", "bytes=0-9"}}}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(SignatureTest, PutObject) {
  EXPECT_EQ(SignatureOf({"PUT",
                         "/test$file.text",
                         {},
                         {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                          {"x-amz-storage-class", "REDUCED_REDUNDANCY"}}},
                        "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(SignatureTest, ParameterWithoutAValue) {
  EXPECT_EQ(SignatureOf({"GET", "/", {{"lifecycle", ""}}, {}}),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(SignatureTest, ListObjects) {
  EXPECT_EQ(SignatureOf({"GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}}),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_F(SignatureTest, TokenOfASessionIsSigned) {
  credentials_.token = "session";
  UnsignedRequest request = {"GET", "/", {}, {{"host", kHost}}};
  Sign(credentials_, "us-east-1", time_, "", request);
  EXPECT_EQ(request.headers["x-amz-security-token"], "session");
  EXPECT_NE(request.headers["authorization"].find("x-amz-security-token,"),
            std::string::npos);
}

TEST(UriEncodeTest, KeepsWhatIsUnreserved) {
  EXPECT_EQ(UriEncode("AZaz09-._~/", false), "AZaz09-._~/");
  EXPECT_EQ(UriEncode("a/b", true), "a%2Fb");
  EXPECT_EQ(UriEncode("a b+c*=%\xc3\xa9", false), "a%20b%2Bc%2A%3D%25%C3%A9");
}

}  // namespace
}  // namespace wallprof::objects
