#include "nines/log/kmsg.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "nines/base/json_writer.hpp"

namespace nines::log {
namespace {

constexpr size_t kMaxFields = 16;
constexpr uint64_t kMaxUsec = 1'000'000'000'000'000;  // 31 years: no uptime is longer
constexpr std::string_view kLevels[] = {"emerg",   "alert",  "crit", "error",
                                        "warning", "notice", "info", "debug"};
constexpr std::string_view kFacilities[] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};

// The number that `text` begins with, removed from it.
template <class T>
std::optional<T> take_number(std::string_view& text) noexcept {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, char c) noexcept {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void unescape(std::string_view text, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
      const int high = hex_digit(text[i + 2]), low = hex_digit(text[i + 3]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 3;
        continue;
      }
    }
    out.push_back(text[i]);
  }
}

bool parse_prefix(std::string_view prefix, KmsgRecord& out) noexcept {
  const auto prio = take_number<uint32_t>(prefix);
  if (!prio || !take(prefix, ',')) return false;
  const auto seq = take_number<uint64_t>(prefix);
  if (!seq || !take(prefix, ',')) return false;
  const auto usec = take_number<uint64_t>(prefix);
  if (!usec || *usec > kMaxUsec || (!prefix.empty() && prefix.front() != ',')) return false;
  out.level = *prio & 7;
  out.facility = *prio >> 3;
  out.seq = *seq;
  out.usec = *usec;
  return true;
}

void parse_fields(std::string_view lines, KmsgRecord& out) {
  out.fields.clear();
  while (!lines.empty() && out.fields.size() < kMaxFields) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const size_t equals = line.find('=');
    if (!take(line, ' ') || equals == std::string_view::npos || equals < 2) continue;
    auto& field = out.fields.emplace_back();
    unescape(line.substr(0, equals - 1), field.first);
    unescape(line.substr(equals), field.second);
  }
}

struct Sign {
  std::string_view event;
  std::string_view first, second;  // both are in the message, in this order; second may be empty
};
// The first that fits wins: what is special stands before what is general.
constexpr Sign kSigns[] = {
    {"oom_cgroup", "Memory cgroup out of memory: Kill", ""},
    {"oom_kill", "Out of memory: Kill", ""},
    {"oom_kill", "Out of memory (oom_kill_allocating_task): Kill", ""},
    {"undervoltage", "Under-voltage detected", ""},
    {"undervoltage", "Undervoltage detected", ""},
    {"voltage_ok", "Voltage normalised", ""},
    {"voltage_ok", "Voltage normalized", ""},
    {"throttled", "cpu clock throttled", ""},
    {"throttled", "clock throttled", ""},
    {"throttled", "hrottling detected", ""},
    {"thermal", "critical temperature", ""},
    {"thermal", "hermal", "shutdown"},
    {"thermal", "emperature above threshold", ""},
    {"fs_error", "EXT4-fs error", ""},
    {"fs_error", "EXT4-fs (", "emounting filesystem read-only"},
    {"fs_error", "emounting filesystem read-only", ""},
    {"fs_error", "BTRFS error", ""},
    {"fs_error", "BTRFS critical", ""},
    {"fs_error", "XFS (", "orruption"},
    {"fs_error", "FAT-fs (", "error"},
    {"fs_error", "F2FS-fs (", "inconsisten"},
    {"sd_error", "I/O error, dev mmcblk", ""},
    {"sd_error", "I/O error on dev mmcblk", ""},
    {"io_error", "I/O error", ""},
    {"io_error", "critical medium error", ""},
    {"hung_task", "INFO: task ", " blocked for more than "},
    {"segfault", " segfault at ", ""},
    {"usb_reset", "usb ", ": reset "},
    {"usb_disconnect", "USB disconnect", ""},
    {"link_down", "ink is Down", ""},
    {"link_down", "ink is down", ""},
    {"link_down", "ink becomes not ready", ""},
    {"link_down", "NIC Link is Down", ""},
    {"rcu_stall", "rcu", "detected stall"},
    {"rcu_stall", "rcu", "self-detected stall"},
    {"rcu_stall", "rcu", "kthread starved for"},
};

bool shows(const Sign& sign, std::string_view message) noexcept {
  const size_t at = message.find(sign.first);
  if (at == std::string_view::npos) return false;
  return message.find(sign.second, at + sign.first.size()) != std::string_view::npos;
}

// "mmc0: error -110 whilst initialising SD card", "mmcblk0: error -110 transferring data".
bool card_error(std::string_view message) noexcept {
  if (!message.starts_with("mmc")) return false;
  return message.find("error") != std::string_view::npos ||
         message.find("imeout") != std::string_view::npos ||
         message.find("imed out") != std::string_view::npos;
}

// "...: Killed process 123 (name) total-vm:..." and "Kill process 123 (name) score 9...".
void find_killed(std::string_view message, KmsgEvent& out) noexcept {
  constexpr std::string_view kProcess = " process ";
  const size_t at = message.find(kProcess);
  if (at == std::string_view::npos) return;
  message.remove_prefix(at + kProcess.size());
  const auto pid = take_number<int64_t>(message);
  if (!pid) return;
  out.pid = *pid;
  take(message, ',');  // "Killed process 123, UID 0, (name)" of old kernels
  const size_t open = message.find('('), close = message.find(')');
  // A name may hold brackets itself: the last one before what follows a name.
  size_t end = message.find(") ");
  if (end == std::string_view::npos) end = close;
  if (open == std::string_view::npos || end == std::string_view::npos || end < open) return;
  out.victim = message.substr(open + 1, end - open - 1);
}

// "name[123]: segfault at ..." and "INFO: task name:123 blocked for ...".
void find_named(std::string_view head, char before_pid, KmsgEvent& out) noexcept {
  const size_t at = head.rfind(before_pid);
  if (at == std::string_view::npos) return;
  std::string_view digits = head.substr(at + 1);
  const auto pid = take_number<int64_t>(digits);
  if (!pid) return;
  out.pid = *pid;
  out.victim = head.substr(0, at);
}

}  // namespace

bool parse_kmsg(std::string_view block, KmsgRecord& out) {
  const size_t semicolon = block.find(';');
  if (semicolon == std::string_view::npos) return false;
  if (!parse_prefix(block.substr(0, semicolon), out)) return false;
  block.remove_prefix(semicolon + 1);
  const size_t end = std::min(block.find('\n'), block.size());
  unescape(block.substr(0, end), out.message);
  parse_fields(block.substr(std::min(end + 1, block.size())), out);
  return true;
}

KmsgEvent classify_kmsg(std::string_view message) noexcept {
  KmsgEvent out;
  if (card_error(message)) {
    out.name = "sd_error";
    return out;
  }
  for (const Sign& sign : kSigns) {
    if (!shows(sign, message)) continue;
    out.name = sign.event;
    break;
  }
  if (out.name.starts_with("oom_")) find_killed(message, out);
  if (out.name == "segfault") {
    find_named(message.substr(0, message.find("]: segfault at ")), '[', out);
  }
  if (out.name == "hung_task") {
    const size_t task = message.find("INFO: task ") + 11;
    const size_t blocked = message.find(" blocked for", task);
    find_named(message.substr(task, blocked - task), ':', out);
  }
  return out;
}

void append_kmsg_json(const KmsgRecord& record, WallTime ts, std::string& out) {
  JsonWriter json(out);
  json.begin_object();
  json.member("ts", ts);
  json.member("level", kLevels[record.level & 7]);
  if (record.facility < std::size(kFacilities)) {
    json.member("facility", kFacilities[record.facility]);
  }
  json.member("message", record.message);
  json.member("seq", record.seq);
  const KmsgEvent event = classify_kmsg(record.message);
  if (!event.name.empty()) json.member("event", event.name);
  if (!event.victim.empty()) json.member("victim", event.victim);
  if (event.pid > 0) json.member("pid", event.pid);
  for (const auto& [key, value] : record.fields) {
    std::string name = key == "SUBSYSTEM" || key == "DEVICE" ? "" : "kernel_";
    for (const char c : key) {
      name.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    json.member(name, value);
  }
  json.end_object();
  out.push_back('\n');
}

}  // namespace nines::log
