// How TemplateWatch is kept over a restart:
//
//   version (1 byte), hour and week that run, services, templates, forgotten lines, FNV-1a (4)
//   service   name, known minutes, last heard, day of the gaps, 8 gaps, exposure, two series
//   template  number of its service, line (8), error (1), first and last seen, series
//   series    sum, minutes, chi2, sum of the hour (8 each), two peaks, whether it has a week (1),
//   week (168)
#include <string>

#include "incident/watch_state.hpp"
#include "nines/log/saved.hpp"
#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

using namespace query;
using std::string_view;

constexpr uint8_t kVersion = 1;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kMaxName = 1024;

void save_service(std::string& out, const WatchedService& service) {
  put_text(out, service.name);
  put_signed(out, service.known_minutes);
  put_signed(out, service.last.ns);
  put_signed(out, service.gaps.day);
  for (const uint16_t gap : service.gaps.longest) put_varint(out, gap);
  save_exposure(out, service.exposure);
  service.lines.save(out);
  service.errors.save(out);
}

bool restore_service(string_view& in, WatchedService& service) {
  string_view name;
  if (!get_text(in, name) || name.size() > kMaxName) return false;
  service.name = name;
  if (!get_signed(in, service.known_minutes) || service.known_minutes < 0 ||
      !get_signed(in, service.last.ns) || !get_signed(in, service.gaps.day)) {
    return false;
  }
  if (service.gaps.day < -1) return false;
  for (uint16_t& gap : service.gaps.longest) {
    uint64_t value = 0;
    if (!get_varint(in, value) || value > UINT16_MAX) return false;
    gap = static_cast<uint16_t>(value);
  }
  return restore_exposure(in, service.exposure) && service.lines.restore(in) &&
         service.errors.restore(in);
}

void save_template(std::string& out, const WatchedTemplate& line) {
  put_varint(out, line.service);
  put_fixed64(out, line.line);
  put_byte(out, line.error ? 1 : 0);
  put_signed(out, line.first.ns);
  put_signed(out, line.last.ns);
  line.series.save(out);
}

bool restore_template(string_view& in, size_t services, WatchedTemplate& line) {
  uint64_t service = 0;
  uint8_t error = 0;
  if (!get_varint(in, service) || service >= services) return false;
  if (!get_fixed64(in, line.line) || !get_byte(in, error) || error > 1) return false;
  line.service = static_cast<uint32_t>(service);
  line.error = error == 1;
  return get_signed(in, line.first.ns) && get_signed(in, line.last.ns) && line.series.restore(in);
}

bool restore_forgotten(string_view& in, ForgottenLines& forgotten) {
  uint64_t count = 0;
  if (!get_varint(in, count) || count > ForgottenLines::kMost) return false;
  std::vector<uint32_t> hashes(static_cast<size_t>(count));
  for (uint32_t& hash : hashes) {
    uint64_t value = 0;
    if (!get_varint(in, value) || value > UINT32_MAX) return false;
    hash = static_cast<uint32_t>(value);
  }
  forgotten.restore(hashes);
  return true;
}

// Names and lines that are there twice are damage, too.
bool restore_all(string_view in, TemplateWatch::Impl& into) {
  uint8_t version = 0;
  uint64_t services = 0, templates = 0;
  if (!get_byte(in, version) || version != kVersion) return false;
  if (!get_signed(in, into.learn_hour) || !get_signed(in, into.learn_week)) return false;
  if (!get_varint(in, services) || services > into.limits.max_services) return false;
  for (uint64_t i = 0; i < services; ++i) {
    WatchedService service;
    if (!restore_service(in, service)) return false;
    if (!into.service_at.emplace(service.name, static_cast<uint32_t>(i)).second) return false;
    into.services.push_back(std::move(service));
  }
  if (!get_varint(in, templates) || templates > into.limits.max_templates) return false;
  for (uint64_t i = 0; i < templates; ++i) {
    WatchedTemplate line;
    if (!restore_template(in, into.services.size(), line)) return false;
    const uint64_t key = watch_key(line.service, line.line, line.error);
    if (!into.template_at.emplace(key, static_cast<uint32_t>(i)).second) return false;
    into.templates.push_back(std::move(line));
  }
  return restore_forgotten(in, into.forgotten) && in.empty();
}

}  // namespace

std::string TemplateWatch::save() const {
  const Impl& self = *impl_;
  std::string out;
  put_byte(out, kVersion);
  put_signed(out, self.learn_hour);
  put_signed(out, self.learn_week);
  put_varint(out, self.services.size());
  for (const WatchedService& service : self.services) save_service(out, service);
  put_varint(out, self.templates.size());
  for (const WatchedTemplate& line : self.templates) save_template(out, line);
  put_varint(out, self.forgotten.hashes().size());
  for (const uint32_t hash : self.forgotten.hashes()) put_varint(out, hash);
  log::put_le(out, log::fnv1a(out), kChecksumBytes);
  return out;
}

Status TemplateWatch::restore(std::string_view saved) {
  const log::SavedReader reader(saved);
  auto fresh = std::make_unique<Impl>(impl_->limits);
  if (!reader.checked() || !restore_all(saved.substr(0, saved.size() - kChecksumBytes), *fresh)) {
    return Error{Errc::corrupt,
                 "what was saved of how often services log their lines is damaged; it is learned "
                 "anew"};
  }
  impl_ = std::move(fresh);
  return Ok{};
}

}  // namespace nines::incident
