// Docker's json-file log lines: {"log":"message\n","stream":"stdout","time":"2026-11-21T..."}.
// The daemon splits lines at 16 KiB: a piece whose text does not end in a newline goes on in the
// next line of the same stream.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/log/cri.hpp"

namespace nines::log {

struct DockerLine {
  WallTime ts{};
  CriStream stream = CriStream::out;
  bool partial = false;
  bool escaped = false;  // `text` holds JSON escapes: docker_content() resolves them
  // As it stands in the line: without quotes and without the escaped line end ("\n", "\r\n").
  std::string_view text;
};
// False: not such a line (also with members beyond log, stream, attrs and time: that is somebody's
// own JSON, of which nothing may be lost).
bool parse_docker(std::string_view line, DockerLine& out) noexcept;

// What the container wrote. Points into the line where nothing is escaped, else into `scratch`,
// whose old content is overwritten (its capacity is kept, so that lines cost no allocation).
std::string_view docker_content(const DockerLine& line, std::string& scratch);

}  // namespace nines::log
