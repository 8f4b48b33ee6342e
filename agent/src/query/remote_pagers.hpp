// The four conversations.
#pragma once

#include <memory>

#include "query/remote.hpp"

namespace nines::agent::query {

// The default query of the configuration is in `wish` already.
std::unique_ptr<RemotePager> make_elasticsearch_pager(const RemoteConfig& remote, RemoteWish wish);
std::unique_ptr<RemotePager> make_loki_pager(const RemoteConfig& remote, RemoteWish wish);
std::unique_ptr<RemotePager> make_graylog_pager(const RemoteConfig& remote, RemoteWish wish);
std::unique_ptr<RemotePager> make_splunk_pager(const RemoteConfig& remote, RemoteWish wish);

// Errors name the command.
Status check_splunk_search(std::string_view search);

}  // namespace nines::agent::query
