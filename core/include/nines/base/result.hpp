// Result<T> and Status: a value or an Error across every module boundary. Success never allocates.
// The API is a subset of std::expected (absent in g++ 12 with C++20). Both must be checked.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "nines/base/contract.hpp"

namespace nines {

enum class Errc : uint8_t {
  invalid_argument,  // the caller's input is wrong (configuration, expression, argument)
  not_found,
  corrupt,      // stored or received bytes fail their check
  io,           // the operating system refused; sys_errno says why
  unavailable,  // a peer or service does not answer
  timeout,
  exhausted,  // a declared bound was reached
  unsupported,
  cancelled,
};

// Written for the person who reads it at night: what, where, the value, and the way out.
struct [[nodiscard]] Error {
  Errc code = Errc::invalid_argument;
  std::string message;
  int sys_errno = 0;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // REQUIRES ok().
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() {
    NINES_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const {
    NINES_ASSERT(ok());
    return *std::get_if<0>(&state_);
  }

  // REQUIRES !ok().
  const Error& error() const {
    NINES_ASSERT(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace nines

#define NINES_CONCAT_(a, b) a##b
#define NINES_CONCAT(a, b) NINES_CONCAT_(a, b)
#define NINES_TRY_(tmp, declaration, expression) \
  auto tmp = (expression);                       \
  if (!tmp.ok()) return tmp.error();             \
  declaration = std::move(*tmp)
// NINES_TRY(auto x, f()); returns the Error of f() upward.
#define NINES_TRY(declaration, expression) \
  NINES_TRY_(NINES_CONCAT(nines_try_, __COUNTER__), declaration, expression)
// NINES_CHECK(f()); the same for a Status.
#define NINES_CHECK(expression)                                                            \
  do {                                                                                     \
    if (auto nines_status = (expression); !nines_status.ok()) return nines_status.error(); \
  } while (false)
