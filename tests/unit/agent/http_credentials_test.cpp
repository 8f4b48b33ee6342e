// What a credential looks like on its way, and that it stays out of what is told.
#include <catch2/catch.hpp>
#include <string>

#include "http/credentials.hpp"
#include "nines/base/bytes_text.hpp"

using nines::base64_of;
using nines::agent::http::without_credential;

TEST_CASE("what a service repeats of a credential is hidden, however often and under any scheme") {
  const std::string basic = base64_of("me:hush");
  CHECK(without_credential("refused, you said: Authorization: Bearer s3cret? s3cret!",
                           "Bearer s3cret") ==
        "refused, you said: Authorization: Bearer ***? ***!");
  CHECK(without_credential("no: Basic " + basic, "Basic " + basic) == "no: Basic ***");
  CHECK(without_credential("s3crets3cret", "s3cret") == "******");
}

TEST_CASE("without a credential an answer stays as it is") {
  CHECK(without_credential("forbidden", "") == "forbidden");
  CHECK(without_credential("forbidden", "Bearer ") == "forbidden");
  CHECK(without_credential("", "Bearer x") == "");
  CHECK(without_credential("***", "Bearer *") == "*********");
}
