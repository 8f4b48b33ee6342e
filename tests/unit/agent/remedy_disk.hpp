// The documents of a node as its store keeps them: what a life after a crash finds.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nines/store/state_store.hpp"

namespace nines::test {

struct RemedyDisk {
  std::map<std::pair<std::string, std::string>, std::string> rows;  // by kind and key

  // A document without a body is deleted.
  void write(const std::vector<store::Document>& documents) {
    for (const auto& one : documents) {
      if (one.body.empty()) {
        rows.erase({one.kind, one.key});
      } else {
        rows[{one.kind, one.key}] = one.body;
      }
    }
  }
  std::vector<store::Document> documents() const {
    std::vector<store::Document> out;
    for (const auto& [key, body] : rows) out.push_back({key.first, key.second, body});
    return out;
  }
};

}  // namespace nines::test
