#include "exact_sum.hpp"

#include <charconv>
#include <cmath>

#include "expr/coerce.hpp"
#include "nines/query/bytes.hpp"
#include "numbers.hpp"

namespace nines::query {
namespace {

constexpr uint64_t kPowers[] = {1,
                                10,
                                100,
                                1'000,
                                10'000,
                                100'000,
                                1'000'000,
                                10'000'000,
                                100'000'000,
                                1'000'000'000,
                                10'000'000'000,
                                100'000'000'000,
                                1'000'000'000'000,
                                10'000'000'000'000,
                                100'000'000'000'000,
                                1'000'000'000'000'000,
                                10'000'000'000'000'000,
                                100'000'000'000'000'000,
                                1'000'000'000'000'000'000};
constexpr int kMaxPower = 18;
constexpr int kRealPlace = 1074;  // bits behind the point

// Plain digits of a value that is not negative.
std::string digits_of(WideInt<3> n) {
  constexpr uint32_t kBillion = 1'000'000'000;
  std::string reversed;
  while (n != WideInt<3>{}) {
    uint32_t part = n.divide(kBillion);
    for (int i = 0; i < 9; ++i, part /= 10) reversed += static_cast<char>('0' + part % 10);
  }
  while (!reversed.empty() && reversed.back() == '0') reversed.pop_back();
  return {reversed.rbegin(), reversed.rend()};
}

// The nearest double of units.
double to_double(const WideInt<3>& units) {
  const std::string text = digits_of(units.size()) + "e-12";
  double d = 0;
  std::from_chars(text.data(), text.data() + text.size(), d);
  return units.negative() ? -d : d;
}

// As a decimal when its digits fit 64 bits.
std::optional<Decimal> to_decimal(const WideInt<3>& units) {
  WideInt<3> size = units.size();
  if (size == WideInt<3>{}) return Decimal{};
  int exponent = -kUnitPlaces;
  for (WideInt<3> shorter = size; exponent < 0 && shorter.divide(10) == 0; ++exponent) {
    size = shorter;
  }
  if (size[1] != 0 || size[2] != 0 || size[0] > INT64_MAX) return std::nullopt;
  const auto mantissa = static_cast<int64_t>(size[0]);
  return Decimal{units.negative() ? -mantissa : mantissa, exponent};
}

}  // namespace

bool to_units(const Value& v, Units& out) noexcept {
  Decimal d = expr::decimal_of(v);
  if (d.exponent > 0 || d.exponent < -kUnitPlaces) d = canonical(d);
  const int power = d.exponent + kUnitPlaces;
  if (power < 0 || power > kMaxPower) return false;
  out.negative = d.mantissa < 0;
  const auto mantissa = static_cast<uint64_t>(d.mantissa);
  const Product p = multiply(out.negative ? 0 - mantissa : mantissa, kPowers[power]);
  out.low = p.low;
  out.high = p.high;
  return true;
}

size_t ExactSum::add(const Value& number) {
  if (number.kind == ValueKind::real) return add_real(number.real);
  Units units;
  if (to_units(number, units)) {
    units_.add(units.negative, units.low, units.high);
    return 0;
  }
  lost_ = true;
  return add_real(expr::double_of(number));
}

size_t ExactSum::add_real(double d) {
  if (!std::isfinite(d) || d == 0) return 0;
  size_t grown = 0;
  if (!reals_) {
    reals_ = std::make_unique<Reals>();
    grown = sizeof(Reals);
  }
  const auto bits = std::bit_cast<uint64_t>(d);
  const auto biased = static_cast<size_t>(bits >> 52 & 0x7ff);
  uint64_t mantissa = bits & 0x000f'ffff'ffff'ffffULL;
  if (biased != 0) mantissa |= uint64_t{1} << 52;
  const size_t place = biased == 0 ? 0 : biased - 1;  // above 2^-1074
  const size_t shift = place % 64;
  reals_->add(d < 0, mantissa << shift, shift == 0 ? 0 : mantissa >> (64 - shift), place / 64);
  return grown;
}

size_t ExactSum::merge(const ExactSum& other) {
  units_ += other.units_;
  lost_ |= other.lost_;
  if (!other.reals_) return 0;
  if (reals_) {
    *reals_ += *other.reals_;
    return 0;
  }
  reals_ = std::make_unique<Reals>(*other.reals_);
  return sizeof(Reals);
}

Value ExactSum::value() const {
  if (!reals_) {
    if (const auto d = to_decimal(units_)) return Value::of_decimal(d->mantissa, d->exponent);
  }
  const double real = to_double(units_) + (reals_ ? reals_->to_double(-kRealPlace) : 0);
  return std::isfinite(real) ? Value::of_real(real) : Value::null();
}

bool ExactSum::approximate() const noexcept { return lost_ || (!reals_ && !to_decimal(units_)); }

void ExactSum::save(std::string& out) const {
  put_byte(out, static_cast<uint8_t>((lost_ ? 1 : 0) | (reals_ ? 2 : 0)));
  for (size_t i = 0; i < 3; ++i) put_fixed64(out, units_[i]);
  for (size_t i = 0; reals_ && i < 35; ++i) put_fixed64(out, (*reals_)[i]);
}

bool ExactSum::load(std::string_view& in, size_t& grown) {
  uint8_t flags = 0;
  if (!get_byte(in, flags) || flags > 3) return false;
  lost_ = (flags & 1) != 0;
  for (size_t i = 0; i < 3; ++i) {
    if (!get_fixed64(in, units_[i])) return false;
  }
  if ((flags & 2) == 0) return true;
  reals_ = std::make_unique<Reals>();
  grown += sizeof(Reals);
  for (size_t i = 0; i < 35; ++i) {
    if (!get_fixed64(in, (*reals_)[i])) return false;
  }
  return true;
}

}  // namespace nines::query
