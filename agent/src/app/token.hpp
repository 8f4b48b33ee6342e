// The bearer token of writes: one that was configured, or a random one that is made once and kept
// in the state directory, readable by its owner only. Never logged.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::agent {

std::string token_path(const std::string& configured, const std::string& state_directory);
// First line of the file. The message says how to get at it.
Result<std::string> read_token(const std::string& path);
// For the agent: without a configured file one is created (0600) unless it is there; one in the
// state directory that power loss damaged is made anew, a configured one is an error. With `unkept`
// one that cannot be written is no error; true: it is nowhere but in this process.
Result<std::string> provide_token(const std::string& configured, const std::string& state_directory,
                                  bool* unkept = nullptr);
// 64 hex digits.
Result<std::string> random_token();
// The token that provide_token() made while the state directory could not be written.
Status keep_token(const std::string& path, const std::string& token);
// Takes the same time wherever they differ, and whatever their lengths.
bool same_token(std::string_view a, std::string_view b);

}  // namespace nines::agent
