#include "nines/remedy/audit.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace nines;
using namespace nines::remedy;

namespace {

std::vector<AuditRecord> chain(AuditHead& head, int n) {
  std::vector<AuditRecord> out;
  for (int i = 0; i < n; ++i) out.push_back(append_audit(head, "record " + std::to_string(i)));
  return out;
}

}  // namespace

// FIPS 180-4 examples, and the message of a million times 'a'.
TEST_CASE("SHA-256 gives the digests of the standard") {
  CHECK(hex_of(sha256("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex_of(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex_of(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex_of(sha256(std::string(1'000'000, 'a'))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("A chain that nobody touched is whole, also from its middle on") {
  AuditHead head;
  const auto all = chain(head, 20);
  CHECK_FALSE(verify_audit(all, {}, head));
  CHECK_FALSE(verify_audit(std::span(all).subspan(7), {7, all[6].hash}, head));
  CHECK_FALSE(verify_audit({}, {}));
}

TEST_CASE("The first record that was altered, left out, put in or cut off is named") {
  AuditHead head;
  const auto whole = chain(head, 20);
  for (size_t i = 0; i < whole.size(); ++i) {
    auto all = whole;
    all[i].body += "!";
    CHECK(verify_audit(all).value().number == i + 1);
    all = whole;
    all.erase(all.begin() + static_cast<long>(i));
    CHECK(verify_audit(all, {}, head).value().number == i + 1);
    all = whole;
    all.resize(i);
    CHECK(verify_audit(all, {}, head).value().number == i + 1);
    // Altered with all hashes made anew: only a head from elsewhere shows it.
    AuditHead forged;
    all.clear();
    for (size_t k = 0; k < whole.size(); ++k) {
      all.push_back(append_audit(forged, k == i ? "forged" : whole[k].body));
    }
    CHECK_FALSE(verify_audit(all));
    CHECK(verify_audit(all, {}, head).has_value());
  }
}
