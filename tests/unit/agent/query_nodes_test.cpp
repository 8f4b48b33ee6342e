// Distributed queries over nodes that fail, in every way that a connection can: what is missing is
// told exactly, and nothing that lacks anything is called complete.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "nines/query/plan_codec.hpp"
#include "node_world.hpp"
#include "query/node_messages.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::test;
using collector::testing::append;
using collector::testing::TempDir;

namespace {

namespace aq = nines::agent::query;

constexpr WallTime kNow{1'772'400'000'000'000'000};
constexpr size_t kRows = 15000;  // of a node: some frames

enum class Fault { none, dies, silent, garbage, cut, twice, early_end };

// The node's end of a connection, until its n-th frame is due.
class Tampered final : public stream::ByteStream {
 public:
  Tampered(stream::ByteStream& inner, Fault fault, size_t at)
      : inner_(inner), fault_(fault), left_(at) {}
  Result<size_t> read(std::span<char> into, Instant deadline) override {
    return inner_.read(into, deadline);
  }
  Status write(std::string_view bytes, Instant deadline) override {
    if (fault_ == Fault::none || left_-- > 0) return inner_.write(bytes, deadline);
    left_ = 0;
    std::string frame(bytes);
    switch (fault_) {
      case Fault::none: break;
      case Fault::silent: {  // until the other side has enough of it
        char byte = 0;
        const Instant later{INT64_MAX};
        for (auto got = read({&byte, 1}, later); got.ok() && *got > 0;)
          got = read({&byte, 1}, later);
        return Error{Errc::unavailable, "closed"};
      }
      case Fault::garbage:
        frame[frame.size() / 2] = static_cast<char>(frame[frame.size() / 2] ^ 0x55);
        fault_ = Fault::none;
        return inner_.write(frame, deadline);
      case Fault::twice:
        fault_ = Fault::none;
        NINES_CHECK(inner_.write(frame, deadline));
        return inner_.write(frame, deadline);
      case Fault::early_end:
        frame = stream::encode_frame(static_cast<uint8_t>(aq::NodeMessage::end),
                                     aq::encode_end(aq::Answer()));
        [[fallthrough]];
      case Fault::cut: (void)inner_.write(frame.substr(0, frame.size() / 2 + 1), deadline); break;
      case Fault::dies: break;
    }
    inner_.close();
    return Error{Errc::unavailable, "broken by the test"};
  }
  void close() override { inner_.close(); }
  Traffic traffic() const override { return inner_.traffic(); }
  std::string where() const override { return inner_.where(); }

 private:
  stream::ByteStream& inner_;
  Fault fault_;
  size_t left_;
};

struct Plan {
  Fault fault = Fault::none;
  size_t at = 0;              // frame
  size_t connections = 1000;  // that are broken; later ones are not
};

class Answered final : public aq::AnswerSink {
 public:
  void begin(const std::vector<std::string>&) override {}
  bool take(const nines::query::Row& row) override {
    std::string text;
    for (const Value& v : row.values) {
      text += v.kind == ValueKind::number ? std::to_string(v.mantissa) : std::string(v.text);
      text += ' ';
    }
    rows.push_back(text);
    if (on_row) on_row();
    return true;
  }
  std::vector<std::string> rows;
  aq::Answer answer;
  Status status = Ok{};
  std::function<void()> on_row;

  bool says(const std::string& what) const {
    const bool noted = std::any_of(answer.notes.begin(), answer.notes.end(), [&](const auto& note) {
      return note.find(what) != std::string::npos;
    });
    return noted || (!status.ok() && status.error().message.find(what) != std::string::npos);
  }
};

// Nodes n0, n1, ...; each has a file whose rows name it.
class Fleet {
 public:
  explicit Fleet(size_t count) : nodes_(clock_, 16 * 1024) {
    options.silence_ns = 1500 * kNsPerMs;
    options.progress_ns = 100 * kNsPerMs;
    options.in_order = true;
    for (size_t n = 0; n < count; ++n) {
      const std::string name = "n" + std::to_string(n);
      files_.push_back(folder_.path() + "/" + name + ".json");
      std::string text;
      for (size_t i = 0; i < kRows; ++i) {
        text += R"({"ts":"2026-03-01T00:00:)" + std::to_string(10 + i % 50) + R"(Z","where":")" +
                name + R"(","n":)" + std::to_string(i) + "}\n";
      }
      append(files_.back(), text);
    }
    plans.resize(count);
    asked_ = std::vector<std::atomic<size_t>>(count);
  }

  aq::NodesOptions options;
  std::vector<Plan> plans;

  aq::Environment environment() { return environment_over(clock_, {}, "json"); }

  Answered ask(const std::string& sql, aq::Environment environment,
               std::function<void()> on_row = {}) {
    aq::Nodes nodes;
    nodes.options = options;
    nodes.links = [this](const nines::query::SourceRef&) { return links(); };
    environment.nodes = &nodes;
    const auto statement = nines::query::parse_statement(sql, {kNow, true});
    REQUIRE(statement.ok());
    Answered out;
    out.on_row = std::move(on_row);
    out.status = aq::run_statement(*statement, environment, out, out.answer);
    nodes_.join();
    return out;
  }
  Answered ask(const std::string& sql) { return ask(sql, environment()); }

  // What one query says over the files of these nodes.
  std::vector<std::string> alone(const std::string& sql, const std::vector<size_t>& nodes) {
    std::vector<std::string> files;
    for (const size_t n : nodes) files.push_back(files_[n]);
    const auto statement = nines::query::parse_statement(sql, {kNow, true});
    Answered out;
    REQUIRE(aq::run_statement(*statement, environment_over(clock_, files, "json"), out, out.answer)
                .ok());
    return out.rows;
  }
  size_t asked(size_t n) const { return asked_[n]; }
  const Clock& clock() const { return clock_; }

 private:
  Result<std::vector<aq::NodeLink>> links() {
    std::vector<aq::NodeLink> out;
    for (size_t n = 0; n < files_.size(); ++n) {
      const auto serve = [this, n](stream::ByteStream& stream) {
        const Plan& plan = plans[n];
        const bool broken = asked_[n]++ < plan.connections;
        Tampered tampered(stream, broken ? plan.fault : Fault::none, plan.at);
        (void)aq::serve_node_query(tampered, environment_over(clock_, {files_[n]}, "json"), {true});
      };
      out.push_back(nodes_.link("n" + std::to_string(n), serve));
    }
    return out;
  }

  RunningClock clock_{kNow};
  TempDir folder_;
  std::vector<std::string> files_;
  std::vector<std::atomic<size_t>> asked_;
  NodeWorld nodes_;
};

const std::string kListing = "SELECT \"where\", n FROM logs('all')";
const std::string kGroups =
    "SELECT \"where\", count(*), sum(n), last(n) FROM logs('all') GROUP BY 1";
const std::string kSessions =
    "SELECT \"where\", n FROM logs('all') SESSION BY \"where\" IDLE '10m' ORDER BY 1";

// Rows of a listing by the node they are from.
std::map<std::string, size_t> by_node(const std::vector<std::string>& rows) {
  std::map<std::string, size_t> out;
  for (const std::string& row : rows) ++out[row.substr(0, row.find(' '))];
  return out;
}

std::string of_node(const Answered& got, const std::string& name) {
  for (const std::string& note : got.answer.notes) {
    if (note.starts_with(name + ": ")) return note;
  }
  return "";
}

}  // namespace

TEST_CASE("Over nodes that are well an answer is complete, and says what it cost") {
  Fleet fleet(3);
  const Answered got = fleet.ask(kGroups);
  REQUIRE(got.status.ok());
  CHECK(got.rows == fleet.alone(kGroups, {0, 1, 2}));
  CHECK(got.answer.complete);
  CHECK(got.answer.nodes_ok == std::vector<std::string>{"n0", "n1", "n2"});
  CHECK(got.answer.nodes_failed.empty());
  CHECK(got.answer.files == 3);
  CHECK(got.answer.network_in > 100);
  CHECK(got.answer.network_in < 20'000);  // states, not rows
  CHECK(got.answer.network_out > 100);
}

TEST_CASE("A connection that breaks at any frame is tried once more, and nothing is missing") {
  for (const Fault fault :
       {Fault::dies, Fault::garbage, Fault::cut, Fault::twice, Fault::early_end, Fault::silent}) {
    for (size_t at = 0; at < 3; ++at) {
      Fleet fleet(3);
      fleet.plans[1] = {fault, at, 1};
      const Answered got = fleet.ask(kGroups);
      INFO("fault " << static_cast<int>(fault) << " at frame " << at);
      REQUIRE(got.status.ok());
      CHECK(got.rows == fleet.alone(kGroups, {0, 1, 2}));
      CHECK(got.answer.complete);
      CHECK(got.answer.nodes_failed.empty());
    }
  }
}

TEST_CASE("A node that fails again is missing as a whole where states are merged") {
  for (const Fault fault :
       {Fault::dies, Fault::garbage, Fault::cut, Fault::early_end, Fault::silent}) {
    for (size_t at = 0; at < 2; ++at) {
      Fleet fleet(3);
      fleet.plans[1] = {fault, at, 1000};
      const Answered got = fleet.ask(kGroups);
      INFO("fault " << static_cast<int>(fault) << " at frame " << at);
      REQUIRE(got.status.ok());
      CHECK(got.rows == fleet.alone(kGroups, {0, 2}));
      CHECK_FALSE(got.answer.complete);
      CHECK(got.answer.nodes_ok == std::vector<std::string>{"n0", "n2"});
      CHECK(got.answer.nodes_failed == std::vector<std::string>{"n1"});
      CHECK(fleet.asked(1) == 2);
      CHECK(of_node(got, "n1").find("; nothing of it is in the answer") != std::string::npos);
    }
  }
}

TEST_CASE("Of a node that breaks off while it lists rows it is told how many are there") {
  std::mt19937 random(7);
  for (int turn = 0; turn < 60; ++turn) {
    Fleet fleet(1 + random() % 4);
    std::set<std::string> broken;
    for (size_t n = 0; n < fleet.plans.size(); ++n) {
      if (random() % 2 == 0) continue;
      const Fault faults[] = {Fault::dies, Fault::garbage, Fault::cut, Fault::twice};
      const Fault fault = faults[random() % 4];
      fleet.plans[n] = {fault, random() % 7, random() % 2 == 0 ? size_t{1} : size_t{1000}};
      broken.insert("n" + std::to_string(n));
    }
    fleet.options.in_order = random() % 2 == 0;
    fleet.options.silence_ns = 60 * kNsPerSecond;  // nobody is silent, however busy the machine is
    const Answered got = fleet.ask(kListing);
    auto rows = by_node(got.rows);
    std::vector<std::string> sorted = got.rows;
    std::sort(sorted.begin(), sorted.end());
    CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());  // none twice
    CHECK(got.answer.complete == got.answer.nodes_failed.empty());
    for (const std::string& name : got.answer.nodes_ok) CHECK(rows[name] == kRows);
    for (const std::string& name : got.answer.nodes_failed) {
      INFO(name << " of " << fleet.plans.size() << ": " << of_node(got, name));
      CHECK(broken.contains(name));
      const size_t n = rows[name];
      const std::string told = n == 0 ? "; nothing of it is in the answer"
                                      : "; its first " + std::to_string(n) + " rows are in";
      CHECK(of_node(got, name).find(told) != std::string::npos);
    }
    CHECK(got.answer.nodes_ok.size() + got.answer.nodes_failed.size() == fleet.plans.size());
  }
}

TEST_CASE("A node that sends rows twice is found out") {
  Fleet fleet(1);
  fleet.plans[0] = {Fault::twice, 1, 1000};
  const Answered got = fleet.ask(kListing);
  CHECK_FALSE(got.answer.complete);
  CHECK(got.says("a piece of its answer is missing or came twice"));
}

TEST_CASE("Sessions over nodes of which one breaks off are told to be incomplete") {
  Fleet fleet(3);
  fleet.plans[2] = {Fault::dies, 3, 1000};
  const Answered got = fleet.ask(kSessions);
  CHECK_FALSE(got.answer.complete);
  CHECK(got.answer.nodes_failed == std::vector<std::string>{"n2"});
  REQUIRE(got.rows.size() >= 2);
  CHECK(got.rows[0] == "n0 15000 ");
  CHECK(got.rows[1] == "n1 15000 ");
}

TEST_CASE("When no node answers the query fails and says why of each") {
  Fleet fleet(2);
  fleet.plans[0] = {Fault::dies, 0, 1000};
  fleet.plans[1] = {Fault::silent, 0, 1000};
  const Answered got = fleet.ask(kGroups);
  REQUIRE_FALSE(got.status.ok());
  CHECK(got.status.error().code == Errc::unavailable);
  CHECK(got.says("n0: the connection was ended"));
  CHECK(got.says("n1: it said nothing for 1500 ms"));
}

TEST_CASE("What a node says itself is not asked for twice") {
  const RunningClock clock(kNow);
  NodeWorld world(clock);
  aq::Environment without = environment_over(clock, {}, "json");
  without.resolve = [](const nines::query::SourceRef&) {
    return Result<std::vector<nines::query::SourceRef>>(
        Error{Errc::not_found, "no source of this node is called 'all'"});
  };
  aq::Nodes nodes;
  nodes.links = [&](const nines::query::SourceRef&) {
    return Result<std::vector<aq::NodeLink>>({world.node("n0", without)});
  };
  aq::Environment environment = environment_over(clock, {}, "json");
  environment.nodes = &nodes;
  const auto statement = nines::query::parse_statement(kGroups, {kNow, true});
  Answered out;
  const Status done = aq::run_statement(*statement, environment, out, out.answer);
  world.join();
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().message.find("n0: no source of this node is called 'all'") !=
        std::string::npos);
  CHECK(world.connections() == 1);
}

TEST_CASE("At the deadline lagging nodes are named, and what others gave is there") {
  Fleet fleet(2);
  fleet.plans[1] = {Fault::silent, 1, 1000};
  fleet.options.silence_ns = 3600 * kNsPerSecond;
  aq::Environment environment = fleet.environment();
  environment.deadline = {fleet.clock().mono().ns + 700 * kNsPerMs};
  const Answered got = fleet.ask(kListing, environment);
  REQUIRE(got.status.ok());
  CHECK_FALSE(got.answer.complete);
  CHECK(got.rows == fleet.alone(kListing, {0}));
  CHECK(of_node(got, "n1") ==
        "n1: it was not done at the deadline; nothing of it is in the answer");
}

TEST_CASE("At the deadline the groups of nodes behind a lagging one count") {
  Fleet fleet(3);
  fleet.plans[1] = {Fault::silent, 1, 1000};
  fleet.options.silence_ns = 3600 * kNsPerSecond;
  aq::Environment environment = fleet.environment();
  environment.deadline = {fleet.clock().mono().ns + 1500 * kNsPerMs};
  const Answered got = fleet.ask(kGroups, environment);
  REQUIRE(got.status.ok());
  CHECK_FALSE(got.answer.complete);
  CHECK(got.rows == fleet.alone(kGroups, {0, 2}));
  CHECK(got.answer.nodes_failed == std::vector<std::string>{"n1"});
}

TEST_CASE("A LIMIT that is reached ends the query on all nodes, and the answer is complete") {
  Fleet fleet(4);
  fleet.plans[3] = {Fault::silent, 1, 1000};
  fleet.options.silence_ns = 3600 * kNsPerSecond;
  const Answered got = fleet.ask(kListing + " LIMIT 5");
  REQUIRE(got.status.ok());
  CHECK(got.rows == fleet.alone(kListing + " LIMIT 5", {0, 1, 2}));
  CHECK(got.answer.complete);
  CHECK(got.answer.network_in < 40'000);  // five rows of each at most
}

TEST_CASE("Cancelling reaches the nodes") {
  Fleet fleet(3);  // pipes of 16 KiB: nodes are in the middle of their rows
  std::atomic<bool> stop{false};
  aq::Environment environment = fleet.environment();
  environment.stop = &stop;
  const Answered got = fleet.ask(kListing, environment, [&] { stop = true; });
  // ask() has waited for the threads of the nodes: they came back.
  REQUIRE(got.status.ok());
  CHECK_FALSE(got.answer.complete);
  CHECK_FALSE(got.answer.nodes_failed.empty());
  CHECK(got.says("cancelled"));
}

TEST_CASE("A node reads no files for who may only ask for its logs") {
  const RunningClock clock(kNow);
  auto [here, there] = aq::make_pipe(clock, "n0");
  std::thread node([&, end = std::move(there)] {
    (void)aq::serve_node_query(*end, environment_over(clock, {}, "json"), {false});
  });
  const auto statement =
      nines::query::parse_statement("SELECT count(*) FROM files('/etc/passwd')", {kNow, true});
  const auto plan =
      nines::query::plan_for_nodes(std::get<nines::query::Block>(statement->inputs[0].what));
  aq::FrameStream frames(*here, stream::kMaxBody);
  const Instant later{clock.mono().ns + 10 * kNsPerSecond};
  REQUIRE(frames.write(aq::NodeMessage::query, *nines::query::encode_plan(plan), later).ok());
  const auto frame = frames.read(later);
  REQUIRE(frame.ok());
  CHECK(frame->type == static_cast<uint8_t>(aq::NodeMessage::error));
  CHECK(aq::decode_error(frame->body).code == Errc::unsupported);
  here->close();
  node.join();
}

TEST_CASE("A node gives up when nobody takes its rows") {
  const RunningClock clock(kNow);
  TempDir folder;
  const std::string file = folder.path() + "/a.json";
  std::mt19937 random(3);  // zstd must not make little of it
  for (int i = 0; i < 4000; ++i) append(file, std::to_string(random()) + "\n");
  auto [here, there] = aq::make_pipe(clock, "n0", 1000);
  Status served = Ok{};
  std::thread node([&, end = std::move(there)] {
    served = aq::serve_node_query(*end, environment_over(clock, {file}, "json"), {true});
  });
  const auto listing = nines::query::parse_statement("SELECT raw FROM logs('all')", {kNow, true});
  auto plan = nines::query::plan_for_nodes(std::get<nines::query::Block>(listing->inputs[0].what));
  plan.patience_ns = 100 * kNsPerMs;
  aq::FrameStream frames(*here, stream::kMaxBody);
  const Instant later{clock.mono().ns + 10 * kNsPerSecond};
  REQUIRE(frames.write(aq::NodeMessage::query, *nines::query::encode_plan(plan), later).ok());
  node.join();
  CHECK_FALSE(served.ok());
}

TEST_CASE("Nodes are chosen by name or glob, and where nobody says who he is by every glob") {
  const std::vector<aq::NodeLink> links = {
      {"10.0.0.7:9991", nullptr, true}, {"db-1", nullptr}, {"web-1", nullptr}, {"web-2", nullptr}};
  const auto chosen = [&](const std::vector<std::string>& names) {
    std::string out;
    const auto some = aq::choose_nodes(links, names);
    if (!some.ok()) return some.error().message;
    for (const aq::NodeLink& link : *some) out += link.node + " ";
    return out;
  };
  CHECK(chosen({}) == "10.0.0.7:9991 db-1 web-1 web-2 ");
  CHECK(chosen({"all"}) == chosen({}));
  CHECK(chosen({"web-*"}) == "10.0.0.7:9991 web-1 web-2 ");
  CHECK(chosen({"web-[1]", "db-1"}) == "10.0.0.7:9991 db-1 web-1 ");
  CHECK(chosen({"web-2"}) == "web-2 ");
  CHECK(chosen({"mail-1"}).find("no node is called 'mail-1'; there are 10.0.0.7:9991, db-1") == 0);
}
