// `nines kb ...`: the knowledge base of this machine. Works beside a running agent.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "config/files.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/store/knowledge_base.hpp"
#include "view/knowledge_json.hpp"
#include "view/table.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = store::KnowledgeBase::kMaxArticles;

int fail(const KbOptions& o, const Error& error) {
  std::fprintf(stderr, "nines kb %s: %s\n", o.verb.c_str(), error.message.c_str());
  const bool usage = error.code == Errc::invalid_argument || error.code == Errc::exhausted;
  return usage ? kExitUsage : kExitUnavailable;
}

// A file, or the *.md of a folder and its sub-folders, by name.
Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> out;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code ignored;
    if (at->path().extension() == ".md" && at->is_regular_file(ignored)) {
      out.push_back(at->path().string());
    }
    if (out.size() > kMaxFiles) {
      return Error{Errc::exhausted, path + " has more than 4096 Markdown files", 0};
    }
  }
  if (error) return Error{Errc::io, path + ": " + error.message(), error.value()};
  std::sort(out.begin(), out.end());
  return out;
}

// What a file is called wherever the command is given from.
std::string id_of(const std::string& file) {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(file, error);
  return error ? file : path.string();
}

int add(const KbOptions& o, store::KnowledgeBase& kb) {
  size_t added = 0, same = 0;
  for (const std::string& path : o.paths) {
    const auto files = files_of(path);
    if (!files.ok()) return fail(o, files.error());
    for (const std::string& file : *files) {
      const auto text = config::read_file(file, store::KnowledgeBase::kMaxArticleBytes);
      if (!text.ok()) return fail(o, text.error());
      store::Article article = store::read_markdown(id_of(file), *text);
      if (article.service.empty()) article.service = o.service;
      if (article.kind == "runbook" && !o.kind.empty()) article.kind = o.kind;
      const auto done = kb.add(article);
      if (!done.ok()) return fail(o, done.error());
      ++(*done ? added : same);
    }
  }
  std::printf("%zu added or changed, %zu as they were\n", added, same);
  return kExitOk;
}

int remove(const KbOptions& o, store::KnowledgeBase& kb) {
  int code = kExitOk;
  for (const std::string& id : o.paths) {
    auto done = kb.remove(id);
    if (done.ok() && !*done) done = kb.remove(id_of(id));
    if (!done.ok()) return fail(o, done.error());
    if (*done) continue;
    std::fprintf(stderr, "nines kb remove: there is no '%s'\n", id.c_str());
    code = kExitNo;
  }
  return code;
}

int show(const KbOptions& o, store::KnowledgeBase& kb) {
  auto found = kb.find(o.paths.front());
  if (found.ok() && !*found) found = kb.find(id_of(o.paths.front()));
  if (!found.ok()) return fail(o, found.error());
  if (!*found) {
    std::fprintf(stderr, "nines kb show: there is no '%s'\n", o.paths.front().c_str());
    return kExitNo;
  }
  std::string out;
  if (o.common.output == Output::json) {
    JsonWriter json(out);
    view::write_article(json, **found);
    out += "\n";
  } else {
    out = (*found)->text;
    if (!out.ends_with('\n')) out += "\n";
  }
  std::fputs(out.c_str(), stdout);
  return kExitOk;
}

std::string milli(int64_t value) { return Decimal{value, -3}.to_string(); }

void print_json(const std::vector<store::Knowledge>& all) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const store::Knowledge& one : all) view::write_found(json, one);
  json.end_array();
  std::printf("%s\n", text.c_str());
}

int print(const KbOptions& o, const std::vector<store::Knowledge>& all) {
  if (o.common.output == Output::json) {
    print_json(all);
  } else {
    const bool found = o.verb == "search";
    view::Table table(
        {{"ID"}, {"RANK", true, 1}, {"KIND", false, 3}, {"SERVICE", false, 2}, {"TITLE"}});
    for (const store::Knowledge& one : all) {
      const std::string rank = found ? milli(one.rank_milli) : "";
      table.add({{one.id}, {rank}, {one.kind}, {one.service}, {one.title}});
    }
    const Terminal terminal = terminal_of_stdout();
    std::fputs(table.render(terminal.width, terminal.color).c_str(), stdout);
  }
  return all.empty() ? kExitNo : kExitOk;
}

}  // namespace

int run_kb(const KbOptions& o, const Clock&) {
  const std::string state = o.common.state.empty() ? kDefaultState : o.common.state;
  const auto kb = store::KnowledgeBase::open(state);
  if (!kb.ok()) return fail(o, kb.error());
  if (o.verb == "add") return add(o, **kb);
  if (o.verb == "show") return show(o, **kb);
  if (o.verb == "remove") return remove(o, **kb);
  const auto found = o.verb == "list"
                         ? (*kb)->list()
                         : (*kb)->search({o.templates, o.service, o.text, o.kind, o.limit});
  return found.ok() ? print(o, *found) : fail(o, found.error());
}

}  // namespace nines::agent
