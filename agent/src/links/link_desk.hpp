// LinkDesk: puts links into pages and does what they allow: acknowledge an incident, approve one
// action. Looking at a link does nothing, however often (chat programs do so by themselves); using
// it works once.
//
// Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "links/link_token.hpp"
#include "links/used_links.hpp"
#include "nines/incident/incident.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::links {

// Details of an event that asks a person to approve one action.
inline constexpr const char* kRule = "approve_rule";
inline constexpr const char* kTarget = "approve_target";
inline constexpr const char* kAction = "approve_action";

class LinkDesk {
 public:
  static constexpr int64_t kApprovalMs = 3'600'000;  // what an approval link lives for, at most

  struct Settings {
    std::string public_url;   // without a slash at its end
    int64_t ttl_ms = 0;       // of an acknowledgement
    int64_t approval_ms = 0;  // of an approval
  };
  // What became of a wish: a page for people.
  struct Answer {
    int status = 200;
    std::string title, text;
    std::string button;  // what using it does; empty: there is nothing to be done
  };
  // All outlive it; they are called on the control thread.
  struct Parts {
    Settings settings;
    std::string key;
    std::function<WallTime()> now;
    std::function<std::optional<nines::incident::Incident>(const std::string& id)> incident;
    // Into the book of incidents; an error says why not.
    std::function<Status(const std::string& incident, const std::string& who)> acknowledge;
    // Whether that rule still is what it was, and may ask for this action. Null: no remediation.
    std::function<Status(const Grant& grant)> may_approve;
    std::function<void(const Grant& grant, const std::string& who, std::function<void(Status)>)>
        approve;
    // Writes these, and what the incidents have to keep; then says so.
    std::function<void(std::vector<store::Document>, std::function<void(Status)>)> keep;
  };
  explicit LinkDesk(Parts parts);
  void restore(const std::vector<store::Document>& documents) { used_.restore(documents); }

  // What a page to `notifier` carries: names and addresses; none where there is nothing to link to.
  using Links = std::vector<std::pair<std::string, std::string>>;
  Links links_for(const slo::AlertEvent& event, const std::string& notifier);

  // The page behind a link.
  Answer show(Purpose purpose, std::string_view token);
  // Does it, for somebody who says that he is `name` (may be empty).
  void use(Purpose purpose, std::string_view token, std::string_view name,
           std::function<void(Answer)> done);

  struct Counters {
    uint64_t sent = 0, shown = 0, used = 0;
    uint64_t forged = 0, expired = 0, replayed = 0;
    uint64_t needless = 0;  // it was done already, or is over
    uint64_t beyond = 0;    // no room to remember that it was used
    uint64_t failed = 0;    // could not be done or written
  };
  const Counters& counters() const noexcept { return counters_; }
  std::string metrics() const;

 private:
  // Nothing stands against it: ok; else what to answer.
  struct Checked {
    bool ok = false;
    Signer::Read read;
    Answer answer;
  };
  Checked check(Purpose purpose, std::string_view token);
  Answer refused(const Signer::Opened& opened);
  std::optional<Answer> stands_against(const Grant& grant);
  void acknowledge(const Signer::Read& read, const std::string& who,
                   std::function<void(Answer)> done);
  void approve(const Signer::Read& read, const std::string& who, std::function<void(Answer)> done);
  Answer broken(const std::string& why);

  Parts parts_;
  Signer signer_;
  UsedLinks used_;
  Counters counters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent::links
