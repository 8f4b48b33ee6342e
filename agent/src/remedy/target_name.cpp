#include "remedy/target_name.hpp"

#include <vector>

namespace nines::agent::remedy {
namespace {

using nines::remedy::Verb;

enum class Within : uint8_t { nothing, node, ns, maybe_node };
struct Kind {
  std::string_view name;
  Within within = Within::nothing;
};

Kind kind_of(Verb verb) {
  switch (verb) {
    case Verb::evict_pod:
    case Verb::delete_pod: return {"pod", Within::ns};
    case Verb::rollout_restart:
    case Verb::rollout_undo:
    case Verb::scale_up:
    case Verb::scale_down: return {"deployment", Within::ns};
    case Verb::cordon:
    case Verb::uncordon: return {"node", Within::nothing};
    case Verb::unit_restart:
    case Verb::unit_start:
    case Verb::unit_stop: return {"unit", Within::node};
    case Verb::program: return {"program", Within::node};
    case Verb::webhook: return {"webhook", Within::maybe_node};
    case Verb::lambda: return {"lambda", Within::maybe_node};
    case Verb::nothing:
    case Verb::other: break;
  }
  return {};
}

std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> out;
  while (true) {
    const size_t slash = name.find('/');
    out.push_back(name.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string target_name(Verb verb, std::string_view node, const Target& object) {
  const Kind kind = kind_of(verb);
  std::string out(kind.name);
  const bool of_node = kind.within == Within::maybe_node && !node.empty();
  if (kind.within == Within::node || of_node) out.append("/").append(node);
  if (kind.within == Within::ns) out.append("/").append(object.ns);
  return out + '/' + object.name;
}

std::optional<Target> object_of(Verb verb, std::string_view name) {
  const Kind kind = kind_of(verb);
  const std::vector<std::string_view> parts = parts_of(name);
  const size_t most = kind.within == Within::nothing ? 2 : 3;
  const size_t least = kind.within == Within::maybe_node ? 2 : most;
  if (kind.name.empty() || parts.size() < least || parts.size() > most ||
      parts.front() != kind.name) {
    return std::nullopt;
  }
  Target out;
  out.name = parts.back();
  if (kind.within == Within::ns) out.ns = parts[1];
  return out;
}

}  // namespace nines::agent::remedy
