// Heads of audit logs that other nodes remember: what is cut back, or written anew, shows.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "remedy/audit_anchors.hpp"
#include "remedy/audit_log.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::AuditHead;

namespace {

constexpr WallTime kNow{1'795'300'000 * kNsPerSecond};

struct Chain {
  AuditLog log;
  std::map<std::string, store::Document> disk;
  std::vector<AuditHead> heads;  // after each record

  void write(const std::string& body) {
    for (auto& document : log.append(body)) {
      if (document.body.empty()) {
        disk.erase(document.key);
      } else {
        disk[document.key] = document;
      }
    }
    heads.push_back(log.head());
  }
  void write(size_t records, const std::string& body = "record ") {
    for (size_t i = 0; i < records; ++i) write(body + std::to_string(heads.size()));
  }
  AuditLog again() const {
    std::vector<store::Document> documents;
    for (const auto& [key, document] : disk) documents.push_back(document);
    AuditLog out;
    out.restore(documents);
    return out;
  }
};

std::optional<AuditAnchors::Fault> hear(AuditAnchors& anchors, uint64_t boot, const AuditHead& head,
                                        const std::string& node = "b") {
  std::optional<AuditAnchors::Fault> found;
  (void)anchors.heard(node, {boot, head}, kNow, found);
  return found;
}

}  // namespace

TEST_CASE("an audit log is held against the heads that others have heard", "[remedy][anchors]") {
  Chain chain;
  chain.write(20);
  const std::vector<AuditHead> seen{chain.heads[4], chain.heads[11]};
  CHECK_FALSE(chain.again().fault(seen));
  // Cut back, and whole as such.
  Chain cut;
  cut.write(8);
  CHECK_FALSE(cut.again().fault());
  REQUIRE(cut.again().fault(seen));
  CHECK(cut.again().fault(seen)->number == 9);
  // Written anew with good hashes.
  Chain anew;
  anew.write(3);
  anew.write(17, "forged ");
  CHECK_FALSE(anew.again().fault());
  REQUIRE(anew.again().fault(seen));
  CHECK(anew.again().fault(seen)->number == 5);
}

TEST_CASE("records that were let go in time are no fault, those that were taken out are",
          "[remedy][anchors]") {
  Chain chain;
  chain.write(AuditLog::kMaxRecords + 50);
  CHECK_FALSE(chain.again().fault({chain.heads[10], chain.heads[49], chain.heads[2000]}));
  CHECK(chain.again().fault({AuditHead{50, chain.heads[48].hash}}));
  // All is gone, and the head says that it had to be.
  Chain gone = chain;
  std::erase_if(gone.disk, [](const auto& one) { return one.first != "head"; });
  gone.disk["head"].body =
      std::to_string(chain.log.head().number) + ' ' + hex_of(chain.log.head().hash) + ' ' +
      std::to_string(chain.log.head().number) + ' ' + hex_of(chain.log.head().hash);
  CHECK(gone.again().fault());
}

TEST_CASE("a node that takes back what it told is found out by whoever heard it",
          "[remedy][anchors]") {
  Chain chain, other;
  chain.write(20);
  other.write(20, "other ");
  AuditAnchors anchors;
  CHECK_FALSE(hear(anchors, 100, chain.heads[9]));
  CHECK_FALSE(hear(anchors, 100, chain.heads[12]));
  CHECK_FALSE(hear(anchors, 100, chain.heads[11]));  // late
  CHECK_FALSE(hear(anchors, 200, chain.heads[12]));  // its next life begins there
  CHECK_FALSE(hear(anchors, 200, chain.heads[13]));
  REQUIRE(anchors.faults().empty());

  AuditAnchors cut = anchors;
  const auto back = hear(cut, 300, chain.heads[5]);
  REQUIRE(back);
  CHECK(back->number == 7);
  CHECK(back->node == "b");
  AuditAnchors forked = anchors;
  REQUIRE(hear(forked, 300, other.heads[13]));
  CHECK(forked.faults().front().number == 14);
  // In whatever order it is heard, by whichever life.
  AuditAnchors late;
  CHECK_FALSE(hear(late, 300, chain.heads[5]));
  CHECK(hear(late, 200, chain.heads[13]));
}

TEST_CASE("heads outlive a restart, however often the node lives anew", "[remedy][anchors]") {
  Chain chain;
  chain.write(30);
  AuditAnchors anchors;
  std::optional<AuditAnchors::Fault> found;
  std::map<std::string, store::Document> disk;
  const auto tell = [&](uint64_t boot, const AuditHead& head) {
    if (auto document = anchors.heard("b", {boot, head}, kNow, found)) {
      disk[document->key] = *document;
    }
  };
  tell(1, chain.heads[29]);
  for (uint64_t life = 2; life < 40; ++life) tell(life, chain.heads[3]);
  CHECK(anchors.of("b").size() == AuditAnchors::kKept);
  CHECK(anchors.faults().size() == AuditAnchors::kMostFaults);
  AuditAnchors again;
  std::vector<store::Document> documents;
  for (const auto& [key, document] : disk) documents.push_back(document);
  again.restore(documents);
  CHECK(again.of("b") == anchors.of("b"));
  const auto kept = again.of("b");
  CHECK(std::any_of(kept.begin(), kept.end(),
                    [&](const Anchor& one) { return one.head == chain.heads[29]; }));
  REQUIRE(again.faults().size() == AuditAnchors::kMostFaults);
  CHECK(again.faults().front().why == anchors.faults().front().why);
  // Broken documents give what can be read of them.
  for (size_t n = 0; n < documents.front().body.size(); ++n) {
    auto broken = documents;
    broken.front().body.resize(n);
    AuditAnchors some;
    some.restore(broken);
    CHECK(some.of("b").size() <= AuditAnchors::kKept);
  }
}

TEST_CASE("nodes beyond the room for heads are counted", "[remedy][anchors]") {
  Chain chain;
  chain.write(1);
  AuditAnchors anchors;
  for (size_t i = 0; i < AuditAnchors::kMostNodes + 3; ++i) {
    (void)hear(anchors, 1, chain.heads[0], "n" + std::to_string(i));
  }
  CHECK(anchors.nodes().size() == AuditAnchors::kMostNodes);
  CHECK(anchors.refused() == 3);
  CHECK(decode_anchor(encode_anchor(chain.heads[0])) == chain.heads[0]);
  CHECK_FALSE(decode_anchor("\1"));
  CHECK_FALSE(decode_anchor(encode_anchor(chain.heads[0]) + "x"));
  CHECK_FALSE(decode_anchor(""));
}
