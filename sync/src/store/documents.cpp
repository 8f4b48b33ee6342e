// Documents: small rows that others keep in the store. Few and seldom written, so each is compared
// with what stands there before it costs a write.
#include "sqlite_store.hpp"

namespace nines::store {
namespace {

int64_t document_crc(const Document& d) { return row_crc(d.kind + '\0' + d.key, d.body); }

}  // namespace

// True: the row holds exactly this already (or is absent and to be forgotten).
Result<bool> SqliteStore::stands(const Document& document, bool& present) {
  Statement& get = connection_->document_get.with(std::string_view(document.kind),
                                                  std::string_view(document.key));
  NINES_TRY(present, get.row());
  const bool same = present && get.integer(0) == document_crc(document) &&
                    get.bytes(1) == std::string_view(document.body);
  get.reset();
  return document.body.empty() ? !present : same;
}

Result<std::vector<const Document*>> SqliteStore::documents_to_write(
    const std::vector<Document>& documents) {
  std::vector<const Document*> changed;
  size_t fresh = 0, gone = 0;
  for (const Document& document : documents) {
    if (document.body.size() > options_.max_document_bytes) {
      stats_.documents_refused += documents.size();
      return Error{Errc::invalid_argument,
                   "document " + document.kind + "/" + document.key + " has " +
                       std::to_string(document.body.size()) + " bytes; at most " +
                       std::to_string(options_.max_document_bytes) + " are kept"};
    }
    bool present = false;
    const auto same = stands(document, present);
    if (!same.ok()) return note(same.error()).error();
    if (*same) continue;
    changed.push_back(&document);
    (document.body.empty() ? gone : fresh) += document.body.empty() == present ? 1 : 0;
  }
  if (fresh > gone) {
    const auto counted = connection_->document_count.with().row();
    if (!counted.ok()) return note(counted.error()).error();
    const auto there = static_cast<size_t>(connection_->document_count.integer(0));
    connection_->document_count.reset();
    if (there + fresh - gone > options_.max_documents) {
      stats_.documents_refused += changed.size();
      return Error{Errc::exhausted, "the state file keeps at most " +
                                        std::to_string(options_.max_documents) + " documents"};
    }
  }
  return changed;
}

Status SqliteStore::put_documents(const std::vector<Document>& documents) {
  NINES_CHECK(ready());
  NINES_TRY(const auto changed, documents_to_write(documents));
  if (changed.empty()) return Ok{};
  NINES_CHECK(note(with_ballast([&] { return write_documents(changed); })));
  stats_.documents_written += changed.size();
  return Ok{};
}

Status SqliteStore::write_documents(const std::vector<const Document*>& changed) {
  Transaction transaction(*connection_);
  NINES_CHECK(transaction.begin());
  NINES_CHECK(put_each(changed));
  return transaction.commit();
}

Status SqliteStore::put_each(const std::vector<const Document*>& changed) {
  Connection& c = *connection_;
  for (const Document* d : changed) {
    const std::string_view kind = d->kind, key = d->key;
    if (d->body.empty()) {
      NINES_CHECK(c.document_drop.with(kind, key).run());
    } else {
      NINES_CHECK(c.document_put.with(kind, key, document_crc(*d), Blob{d->body}).run());
    }
  }
  return Ok{};
}

Result<std::vector<Document>> SqliteStore::documents(const std::string& kind) {
  NINES_CHECK(ready());
  std::vector<Document> out;
  Statement& scan = connection_->document_scan.with(std::string_view(kind));
  while (true) {
    const auto more = scan.row();
    if (!more.ok()) {
      NINES_CHECK(note(more.error()));
    }
    if (!*more) return out;
    Document document{kind, std::string(scan.bytes(0)), std::string(scan.bytes(2))};
    if (document_crc(document) == scan.integer(1)) {
      out.push_back(std::move(document));
    } else {
      ++restored_.skipped_rows;
    }
  }
}

}  // namespace nines::store
