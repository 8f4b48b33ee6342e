// What is hidden in lines that leave the fleet, and what is not.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "view/redacted.hpp"

using nines::agent::view::redacted;
using nines::agent::view::without_quotes;

TEST_CASE("What gives access is hidden however it is written", "[redacted]") {
  const std::string secret = "Zx9secretvalue7Q";
  const std::vector<std::string> lines = {
      "login failed password=" + secret + " user=anna",
      "login failed passwd: " + secret,
      R"({"time":"t","db_password":")" + secret + R"(","status":500})",
      R"({"msg":"{\"api_key\": \")" + secret + R"(\"}"})",
      R"({"ACCESS-TOKEN" : ")" + secret + R"("})",
      "GET /a?x=1&access_token=" + secret + "&y=2 HTTP/1.1\" 500",
      "client_secret='" + secret + " with blanks'",
      "Authorization: Bearer " + secret,
      "authorization: Basic " + secret + "==",
      "sent bearer " + secret,
      "Cookie: a=b; sid=" + secret + "; c=d",
      "Set-Cookie: " + secret,
      "sessionId=" + secret,
      "connect postgres://app:" + secret + "@db.internal:5432/shop failed",
      "connect redis://" + secret + "@cache failed",
      "key AKIA" + secret + "ABCD",
      "token ghp_" + secret,
      "jwt eyJhbGciOiJIUzI1NiJ9." + secret + ".x is expired",
      "-----BEGIN RSA PRIVATE KEY-----" + secret,
  };
  for (const std::string& line : lines) {
    INFO(line);
    const std::string shown = redacted(line);
    CHECK(shown.find(secret) == std::string::npos);
    CHECK(shown.find("***") != std::string::npos);
  }
}

TEST_CASE("Who somebody is is hidden, and numbers of cards", "[redacted]") {
  CHECK(redacted("mail to anna.arendt+x@example.org bounced").find("arendt") == std::string::npos);
  CHECK(redacted("mail to anna@example.org bounced") == "mail to ***@example.org bounced");
  CHECK(redacted("card 4111111111111111 refused") == "card *** refused");
  CHECK(redacted("card 4111 1111 1111 1111 refused") == "card *** refused");
  CHECK(redacted("card 4111-1111-1111-1111 refused") == "card *** refused");
}

TEST_CASE("What the line is shown for stays as it is", "[redacted]") {
  for (const char* line :
       {R"(10.0.0.7 - - [22/Nov/2026:17:00:00 +0000] "GET /a?b=1&c=2 HTTP/1.1" 503 12 "-" "curl")",
        "connection to db.internal:5432 refused after 3 tries", "pay@host is no mail address",
        "took 1790000000123 ms, id 4111111111111112", "the token ring is slow",
        "http://shop/cart?item=7 answered 502", "", "pass", "basic auth", "secret",
        "\xC3\xA4 \xFF \x01"}) {
    CHECK(redacted(line) == line);
  }
}

TEST_CASE("Cut and hostile lines end, and never grow by more than what hides", "[redacted]") {
  std::string line = "password=\"\\";
  for (int i = 0; i < 200; ++i) line += i % 3 == 0 ? "\"token\":" : "x@y.z://a:b@";
  for (size_t size = 0; size <= line.size(); ++size) {
    CHECK(redacted(line.substr(0, size)).size() <= 4 * size + 3);
  }
}

TEST_CASE("Nothing that a sentence quotes of a line is left, whatever the line is", "[redacted]") {
  CHECK(without_quotes("logs the error \"no Anna\" in 4 of 5 requests") ==
        "logs the error \"***\" in 4 of 5 requests");
  CHECK(without_quotes("uses 5, usually 2") == "uses 5, usually 2");
  CHECK(without_quotes("") == "");
  for (const char* line : {"no Anna", "said \"Anna\"", "\"Anna", "Anna\"", "\"", "Anna ... \" x"}) {
    const std::string sentence =
        std::string("shop: \"") + line + "\" is followed by \"" + line + "\" in 3 of 4";
    CHECK(without_quotes(sentence) == "shop: \"***\" in 3 of 4");
    for (size_t size = 0; size < sentence.size(); ++size) {
      const std::string cut = sentence.substr(0, size) + "...";
      CHECK(without_quotes(cut).find("Anna") == std::string::npos);
    }
  }
}
