#include "knowledge/shelf.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "app/log.hpp"
#include "config/files.hpp"
#include "view/text.hpp"

namespace nines::agent::knowledge {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMs = 100;  // for another process that writes: commits wait as long
constexpr size_t kMostWords = 24;
constexpr size_t kTried = 5;  // of what was found, to be looked at

// Whether it helps whoever is paged, or only happens to have a word in common.
bool is_worth_it(const store::Knowledge& found, size_t words, size_t asked) {
  if (found.templates > 0) return true;
  const bool runbook = found.kind == "runbook";
  const size_t needed = found.of_service ? (runbook ? 0 : 2) : 3;
  return words >= needed && (found.of_service || asked > 1);
}

std::string why_of(const store::Knowledge& found, size_t words) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ", ") + text; };
  if (found.templates > 0) {
    add(std::to_string(found.templates) + (found.templates == 1 ? " template" : " templates"));
  }
  if (found.of_service) add("of the service");
  if (words > 0) add(std::to_string(words) + (words == 1 ? " word" : " words"));
  return out;
}

// As a shell takes it.
std::string command_for(const std::string& id) {
  const bool plain = id.find_first_not_of(
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                         "-._/+:@%") == std::string::npos;
  if (plain) return "nines kb show " + id;
  std::string quoted;
  for (const char c : id) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "nines kb show '" + quoted + "'";
}

std::string canonical(const std::string& folder) {
  std::error_code error;
  const fs::path path = fs::weakly_canonical(folder, error);
  std::string out = error ? folder : path.string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

}  // namespace

store::KnowledgeBase* Shelf::base() {
  if (base_ != nullptr) return base_.get();
  auto opened = store::KnowledgeBase::open(settings_.state, kPatienceMs);
  if (!opened.ok()) {
    failed(opened.error());
    return nullptr;
  }
  base_ = std::move(*opened);
  counters_.articles = base_->stats().articles;
  return base_.get();
}

void Shelf::failed(const Error& error) {
  ++counters_.failures;
  if (std::exchange(trouble_, error.message) != error.message) {
    log::warn("knowledge", "pages go out without the knowledge base: " + error.message);
  }
}

Result<std::vector<store::Knowledge>> Shelf::search(const store::KnowledgeQuery& query) {
  store::KnowledgeBase* const from = base();
  if (from == nullptr) return Error{Errc::io, trouble_};
  return from->search(query);
}

Result<std::optional<store::Article>> Shelf::article(const std::string& id) {
  store::KnowledgeBase* const from = base();
  if (from == nullptr) return Error{Errc::io, trouble_};
  return from->find(id);
}

std::vector<store::Knowledge> Shelf::ask(const Wish& wish, const char* kind, size_t limit) {
  auto found = search({wish.templates, wish.service, wish.text, kind, limit});
  if (!found.ok()) {
    if (base_ != nullptr) failed(found.error());
    return {};
  }
  return std::move(*found);
}

std::optional<PageNote> Shelf::note_of(const store::Knowledge& found, const Wish& wish,
                                       const std::vector<std::string>& words) {
  const auto whole = article(found.id);
  if (!whole.ok() || !*whole) return std::nullopt;
  const store::Article& article = **whole;
  Section section = best_section("# " + article.title + "\n" + article.text, words, wish.templates);
  if (!is_worth_it(found, section.words, words.size())) return std::nullopt;
  PageNote out;
  out.id = view::printable(found.id);
  out.title = view::printable(found.title);
  out.section = std::move(section.heading);
  out.lines = std::move(section.lines);
  out.why = why_of(found, section.words);
  out.read = command_for(out.id);
  return out;
}

PageKnowledge Shelf::find(const Wish& wish) {
  PageKnowledge out;
  const auto words = telling_words(wish.text, kMostWords);
  for (const store::Knowledge& one : ask(wish, "runbook", kTried)) {
    if ((out.runbook = note_of(one, wish, words))) break;
  }
  const size_t most = PageKnowledge::kMostSimilar;
  for (const auto& one : ask(wish, "postmortem", kTried + wish.not_these.size())) {
    const auto& not_these = wish.not_these;
    if (std::find(not_these.begin(), not_these.end(), one.id) != not_these.end()) continue;
    if (auto note = note_of(one, wish, words)) {
      if (!settings_.review_lines) note->lines.clear();
      out.similar.push_back(std::move(*note));
    }
    if (out.similar.size() == most) break;
  }
  return out;
}

// --- Runbooks of a folder.

bool Shelf::scan(Files& out) {
  const std::string root = canonical(settings_.runbooks);
  std::error_code error;
  size_t entries = 0;
  fs::recursive_directory_iterator at(root, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    if (++entries > kMostEntries || out.size() > store::KnowledgeBase::kMaxArticles) {
      error = std::make_error_code(std::errc::file_too_large);
      break;
    }
    const fs::path& path = at->path();
    std::error_code gone;
    if (path.filename().string().starts_with('.')) {  // ..data of a ConfigMap, .git
      if (at->is_directory(gone)) at.disable_recursion_pending();
      continue;
    }
    if (path.extension() != ".md" || !at->is_regular_file(gone)) continue;
    const auto time = at->last_write_time(gone);
    const uint64_t bytes = gone ? 0 : at->file_size(gone);
    if (!gone) out[path.string()] = {static_cast<int64_t>(time.time_since_epoch().count()), bytes};
  }
  if (!error) return true;
  failed({Errc::io, "runbooks in " + root + " are not looked at: " + error.message()});
  return false;
}

// What it is after this turn. `refused` is not tried again before the file changes.
Shelf::Taken Shelf::add_runbook(const std::string& path) {
  const auto refuse = [&](const Error& error) {
    ++counters_.refused;
    log::warn("knowledge", "a runbook is left out: " + error.message);
    return Taken::refused;
  };
  const auto text = config::read_file(path, store::KnowledgeBase::kMaxArticleBytes);
  if (!text.ok()) return refuse(text.error());
  const auto done = base_->add(store::read_markdown(path, *text));
  if (done.ok()) {
    known_.insert(path);
    counters_.added += *done ? 1 : 0;
    return *done ? Taken::written : Taken::same;
  }
  const Errc code = done.error().code;
  if (code == Errc::exhausted || code == Errc::invalid_argument) return refuse(done.error());
  failed(done.error());
  return Taken::failed;
}

// False: there is more to do.
bool Shelf::add_changed(const Files& files) {
  size_t reads = 0, writes = 0;
  for (const auto& [path, stamp] : files) {
    const auto seen = seen_.find(path);
    if (seen != seen_.end() && seen->second == stamp) continue;
    if (reads == kMostReads || writes == kMostWrites) return false;
    ++reads;
    const Taken taken = add_runbook(path);
    if (taken == Taken::failed) return true;  // with the next turn that is due
    writes += taken == Taken::written ? 1 : 0;
    seen_[path] = stamp;
  }
  return true;
}

bool Shelf::remove_gone(const Files& files) {
  size_t writes = 0;
  for (auto it = known_.begin(); it != known_.end();) {
    if (files.contains(*it)) {
      ++it;
      continue;
    }
    if (writes++ == kMostWrites) return false;
    const auto done = base_->remove(*it);
    if (!done.ok()) {
      failed(done.error());
      return true;  // with the next turn that is due
    }
    counters_.removed += *done ? 1 : 0;
    seen_.erase(*it);
    it = known_.erase(it);
  }
  return true;
}

bool Shelf::follow_runbooks() {
  if (settings_.runbooks.empty() || base() == nullptr) return false;
  Files files;
  if (!scan(files)) return false;
  if (!listed_) {
    const auto all = base_->list();
    if (!all.ok()) {
      failed(all.error());
      return false;
    }
    const std::string root = canonical(settings_.runbooks) + "/";
    for (const store::Knowledge& one : *all) {
      if (one.id.starts_with(root)) known_.insert(one.id);
    }
    listed_ = true;
  }
  std::erase_if(seen_, [&](const auto& one) { return !files.contains(one.first); });
  const bool removed = remove_gone(files);
  const bool added = add_changed(files);
  counters_.articles = base_->stats().articles;
  return !removed || !added;
}

// --- Reviews.

void Shelf::keep_review(const store::Article& review, const std::vector<std::string>& aliases) {
  if (settings_.reviews == 0 || base() == nullptr) return;
  const auto done = base_->add(review);
  if (!done.ok()) {
    ++counters_.refused;
    return failed(done.error());
  }
  for (const std::string& alias : aliases) {
    (void)base_->remove(std::string(kReviews) + alias);
  }
  if (!*done) return;
  ++counters_.reviews;
  prune_reviews();
  counters_.articles = base_->stats().articles;
}

// Their ids begin with the day.
void Shelf::prune_reviews() {
  auto all = base_->list();
  if (!all.ok()) return failed(all.error());
  std::erase_if(*all, [](const store::Knowledge& one) { return !one.id.starts_with(kReviews); });
  const auto most = static_cast<size_t>(settings_.reviews);
  for (size_t i = 0; i + most < all->size(); ++i) {
    const auto done = base_->remove((*all)[i].id);
    if (!done.ok()) return failed(done.error());
    ++counters_.pruned;
  }
}

}  // namespace nines::agent::knowledge
