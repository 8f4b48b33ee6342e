#include "app/source_check.hpp"

#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

namespace nines::agent {
namespace {

constexpr size_t kMaxShown = 3;

struct Look {
  size_t matches = 0;
  std::vector<std::string> refused;  // path: reason
};

Look look_at(const std::string& pattern) {
  Look look;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found) == 0) {
    look.matches = found.gl_pathc;
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      if (::access(found.gl_pathv[i], R_OK) == 0) continue;
      look.refused.push_back(std::string(found.gl_pathv[i]) + ": " + std::strerror(errno));
    }
  }
  ::globfree(&found);
  return look;
}

void check(const SloPlan& plan, const std::string& pattern, std::vector<std::string>& out) {
  if (pattern.find("**") != std::string::npos) return;  // glob(3) does not know it
  const Look look = look_at(pattern);
  const std::string where = plan.spec.origin.empty() ? plan.spec.name : plan.spec.origin;
  if (look.matches == 0) {
    out.push_back(where + ": warning: no file matches " + pattern +
                  " yet\n  hint: check the path; " + "SLO " + plan.spec.name +
                  " has no data until a file appears there");
  }
  for (size_t i = 0; i < look.refused.size() && i < kMaxShown; ++i) {
    out.push_back(
        where + ": warning: cannot read " + look.refused[i] +
        "\n  hint: let this user read it (group adm for most logs, group 0 for container " +
        "logs); it is read as soon as it can be");
  }
}

}  // namespace

std::vector<std::string> source_problems(const std::vector<SloPlan>& plans) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const SloPlan& plan : plans) {
    for (const collector::SourcePlan* source : {&plan.total, &plan.part}) {
      for (const std::string& pattern : source->globs.include) {
        if (seen.insert(pattern).second) check(plan, pattern, out);
      }
    }
  }
  return out;
}

}  // namespace nines::agent
