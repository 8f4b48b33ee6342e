// Runs a fuzz entry over files: what libFuzzer found once must never come back, on any compiler.
// Each file is also tried cut and with single bytes changed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(static_cast<const uint8_t*>(static_cast<const void*>(bytes.data())),
                         bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)),
                              std::istreambuf_iterator<char>());
      run(bytes);
      for (size_t n = 0; n < bytes.size(); ++n) {
        run(bytes.substr(0, n));
        std::string changed = bytes;
        changed[n] = static_cast<char>(changed[n] ^ 0x55);
        run(changed);
      }
      ++files;
    }
  }
  std::printf("%zu corpus files\n", files);
  return files > 0 ? 0 : 1;
}
