#include "recognizer.hpp"

#include <algorithm>

#include "nines/base/contract.hpp"

namespace nines::query {
namespace {

using Op = PatternInstruction::Op;
constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

Recognizer::Recognizer(PatternProgram program, std::vector<Visible> visible)
    : program_(std::move(program)),
      visible_(std::move(visible)),
      bits_(program_.code.size()),
      stamps_(program_.code.size()),
      last_at_(program_.code.size()),
      last_stamps_(program_.code.size()),
      words_(visible_.size()) {
  size_t matches = 0;
  for (size_t pc = 0; pc < program_.code.size(); ++pc) {
    if (program_.code[pc].op == Op::match) bits_[pc] = uint64_t{1} << (matches++ % 64);
  }
  has_bits_ = matches <= 64;
}

void Recognizer::begin(Attempt& attempt, int64_t start) {
  attempt.start = attempt.next = start;
  attempt.active = true;
  attempt.has_match = false;
  attempt.paths.clear();
  next_.clear();
  next_words_.clear();
  same_.clear();
  ++row_stamp_;
  ++stamp_;
  std::fill(words_.begin(), words_.end(), UINT64_MAX);
  for (size_t i = 0; i < visible_.size(); ++i) {
    if (visible_[i].what == Visible::What::count) words_[i] = 0;
  }
  follow(attempt, 0, Attempt::kNoPath, start, false);
  attempt.readings = next_;
  attempt.words = next_words_;
}

void Recognizer::read(Attempt& attempt, Conditions& conditions, bool is_last) {
  const int64_t row = attempt.next;
  next_.clear();
  next_words_.clear();
  same_.clear();
  ++row_stamp_;
  ++stamp_;
  const size_t width = visible_.size();
  for (size_t i = 0; i < attempt.readings.size(); ++i) {
    const Attempt::Reading reading = attempt.readings[i];
    const PatternInstruction& instruction = program_.code[reading.pc];
    if (!conditions.may_read(row, bits_[reading.pc])) continue;
    if (!conditions.holds(attempt, reading, instruction.a)) continue;
    const auto path = static_cast<uint32_t>(attempt.paths.size());
    const auto label = static_cast<uint16_t>(instruction.a);
    attempt.paths.push_back({reading.path, label, instruction.excluded});
    if (width > 0) {
      std::copy_n(attempt.words.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                  words_.begin());
      see(instruction.a, row);
      ++stamp_;
    }
    if (!follow(attempt, reading.pc + 1, path, row + 1, is_last)) break;
  }
  attempt.readings.swap(next_);
  attempt.words.swap(next_words_);
  attempt.next = row + 1;
  if (attempt.paths.size() >= attempt.compact_at) compact(attempt);
}

void Recognizer::see(size_t label, int64_t row) {
  const auto number = static_cast<uint64_t>(row);
  for (size_t i = 0; i < visible_.size(); ++i) {
    if (visible_[i].label != label) continue;
    uint64_t& word = words_[i];
    switch (visible_[i].what) {
      case Visible::What::first: word = std::min(word, number); break;
      case Visible::What::last: word = number; break;
      case Visible::What::count: ++word; break;
      case Visible::What::all:
        word = ((word ^ number) + 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
        word ^= word >> 32;
        break;
    }
  }
}

bool Recognizer::follow(Attempt& attempt, uint32_t pc, uint32_t path, int64_t row, bool at_end) {
  stack_.assign(1, pc);
  while (!stack_.empty()) {
    pc = stack_.back();
    stack_.pop_back();
    if (std::exchange(stamps_[pc], stamp_) == stamp_) continue;
    const PatternInstruction& instruction = program_.code[pc];
    switch (instruction.op) {
      case Op::match: add(pc, path); break;
      case Op::split:
        stack_.push_back(instruction.b);
        stack_.push_back(instruction.a);
        break;
      case Op::jump: stack_.push_back(instruction.a); break;
      case Op::first:
        if (row == 0) stack_.push_back(pc + 1);
        break;
      case Op::last:
        if (at_end) stack_.push_back(pc + 1);
        break;
      default:
        NINES_ASSERT(instruction.op == Op::accept);
        attempt.has_match = true;
        attempt.match_path = path;
        attempt.match_end = row;
        return false;
    }
  }
  return true;
}

void Recognizer::add(uint32_t pc, uint32_t path) {
  const size_t width = visible_.size();
  uint32_t same = last_stamps_[pc] == row_stamp_ ? last_at_[pc] : kNone;
  const uint32_t before = same;
  for (; same != kNone; same = same_[same]) {
    if (std::equal(words_.begin(), words_.end(),
                   next_words_.begin() + static_cast<std::ptrdiff_t>(same * width))) {
      return;  // the more preferred one stands for both
    }
  }
  if (width > 0 && next_.size() == kMaxReadings) {
    ++dropped_;
    return;
  }
  last_at_[pc] = static_cast<uint32_t>(next_.size());
  last_stamps_[pc] = row_stamp_;
  next_.push_back({pc, path});
  same_.push_back(before);
  next_words_.insert(next_words_.end(), words_.begin(), words_.end());
}

// Labels that no reading and no match leads to any more are forgotten. Those before a label have a
// smaller index, also afterwards.
void Recognizer::compact(Attempt& attempt) {
  auto& paths = attempt.paths;
  moved_.assign(paths.size(), kNone);
  const auto keep = [&](uint32_t path) {
    for (; path != Attempt::kNoPath && moved_[path] == kNone; path = paths[path].before) {
      moved_[path] = 0;
    }
  };
  for (const Attempt::Reading& reading : attempt.readings) keep(reading.path);
  if (attempt.has_match) keep(attempt.match_path);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < paths.size(); ++i) {
    if (moved_[i] == kNone) continue;
    const uint32_t before = paths[i].before;
    moved_[i] = kept;
    paths[kept] = paths[i];
    if (before != Attempt::kNoPath) paths[kept].before = moved_[before];
    ++kept;
  }
  paths.resize(kept);
  for (Attempt::Reading& reading : attempt.readings) reading.path = moved_[reading.path];
  if (attempt.has_match && attempt.match_path != Attempt::kNoPath) {
    attempt.match_path = moved_[attempt.match_path];
  }
  attempt.compact_at = std::max<size_t>(1024, size_t{kept} * 2);
}

void Recognizer::labels(const Attempt& attempt, uint32_t path, std::vector<uint16_t>& out) const {
  out.clear();
  for (; path != Attempt::kNoPath; path = attempt.paths[path].before) {
    out.push_back(attempt.paths[path].label);
  }
  std::reverse(out.begin(), out.end());
}

void Recognizer::excluded(const Attempt& attempt, uint32_t path, std::vector<bool>& out) const {
  out.clear();
  for (; path != Attempt::kNoPath; path = attempt.paths[path].before) {
    out.push_back(attempt.paths[path].excluded);
  }
  std::reverse(out.begin(), out.end());
}

}  // namespace nines::query
