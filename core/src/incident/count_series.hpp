// CountSeries: lines of one kind, in the slots of the last minutes and in a baseline by hour of the
// week. How long was watched is kept once a service (Exposure). Plain data and pure arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "nines/incident/template_watch.hpp"

namespace nines::incident {

inline constexpr size_t kWeekHours = 168;
inline constexpr int64_t kMinuteS = 60;
inline constexpr int64_t kSlotsAMinute = kMinuteS / TemplateWatch::kSlotS;

// Numbers from 0 to 47 million in a byte each: 10 log2(1 + x).
class Week {
 public:
  double at(size_t hour) const noexcept;
  void set(size_t hour, double value) noexcept;
  std::array<uint8_t, kWeekHours>& bytes() noexcept { return bytes_; }
  const std::array<uint8_t, kWeekHours>& bytes() const noexcept { return bytes_; }

 private:
  std::array<uint8_t, kWeekHours> bytes_{};
};

// Hours since 1970 to hours of the week.
constexpr size_t hour_of_week(int64_t unix_hour) noexcept {
  constexpr auto kHours = static_cast<int64_t>(kWeekHours);
  return static_cast<size_t>(((unix_hour + 72) % kHours + kHours) % kHours);
}

// How many minutes of a service were watched and learned.
struct Exposure {
  double minutes = 0;       // all hours, decayed
  double hour_minutes = 0;  // of the hour that runs, not in `week` yet
  Week week;
  void add_minute() noexcept;
  void end_hour(size_t hour) noexcept;
};

struct CountSeries {
  std::array<uint32_t, TemplateWatch::kSlots> slots{};
  double sum = 0;        // all hours, decayed as Exposure::minutes
  double minutes = 0;    // learned since the first line, decayed
  double chi2 = 0;       // Pearson's, of the minutes
  double hour_sum = 0;   // of the hour that runs
  float usual = 0;       // lines a minute in this hour
  float usual_near = 0;  // the most of it, the hour before and the one after
  uint32_t peak = 0, peak_before = 0;
  std::unique_ptr<Week> week;

  void learn_minute(uint32_t lines, const Exposure& exposure) noexcept;
  void end_hour(size_t hour, const Exposure& exposure);  // before that of the exposure
  void refresh(size_t hour, const Exposure& exposure) noexcept;
  void end_week() noexcept;
  double all_hours(const Exposure& exposure) const noexcept;  // lines a minute
  void take(const CountSeries& other);  // what is counted there is counted here from now on

  double dispersion(const Exposure& exposure) const noexcept;
  size_t memory_bytes() const noexcept { return sizeof(*this) + (week ? sizeof(Week) : 0); }
  void save(std::string& out) const;
  bool restore(std::string_view& in);
};

void save_exposure(std::string& out, const Exposure& exposure);
bool restore_exposure(std::string_view& in, Exposure& exposure);

}  // namespace nines::incident
