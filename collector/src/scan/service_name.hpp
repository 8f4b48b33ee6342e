// What a file's records are called that name no service themselves.
#pragma once

#include <string>

namespace nines::collector {

// Its container, or its base name: "web" of web.log, web.log.2.gz, web-20260101.log.
std::string service_of(const std::string& path);

}  // namespace nines::collector
