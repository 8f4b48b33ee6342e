// What of libstdc++ stays out of the program: the demangler, 50 kB of which the last words about an
// exception that nobody caught are the only user. The words stay, with the type as the linker
// knows it (c++filt reads it).
#include <cxxabi.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

namespace {

// No stdio: this may be the end of a process without memory.
void say(const char* text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

namespace __gnu_cxx {

void __verbose_terminate_handler() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    say("terminate called without an active exception\n");
    std::abort();
  }
  say("terminate called after throwing an instance of '");
  say(type->name());
  say("'\n");
  try {
    throw;
  } catch (const std::exception& e) {
    say("  what():  ");
    say(e.what());
    say("\n");
  } catch (...) {
  }
  std::abort();
}

}  // namespace __gnu_cxx
