// A folder of configuration files that a test makes and that goes with it.
#pragma once

#include <stdlib.h>  // mkdtemp

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace nines::agent::test {

class ConfigFolder {
 public:
  ConfigFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nines-config-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ConfigFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  // Returns the path of the file.
  std::string write(const std::string& name, std::string_view content) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  const std::string& path() const { return path_; }

  // Loads an (empty unless given) nines.yaml and one file of SLO documents.
  Loaded load_slos(std::string_view documents, std::string_view node = "") const {
    const std::string config = write("nines.yaml", node);
    const std::vector<std::string> slos = {write("slo.yaml", documents)};
    return load_config(config, slos);
  }
  Loaded load_node(std::string_view node) const {
    return load_config(write("nines.yaml", node), {});
  }

 private:
  std::string path_;
};

inline std::string all_text(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const auto& diagnostic : diagnostics) out += to_string(diagnostic) + "\n";
  return out;
}

}  // namespace nines::agent::test
