// Does the library still link where a stand-in takes the place of some of it? (see NinesDeps.cmake)
#if defined(NINES_PROBE_ZSTD)
#include <zstd.h>
int main() {
  char packed[64], plain[64];
  const size_t size = ZSTD_compress(packed, sizeof packed, "nines", 5, 1);
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{packed, size, 0};
  ZSTD_outBuffer out{plain, sizeof plain, 0};
  const size_t left = ZSTD_decompressStream(context, &out, &in);
  ZSTD_freeDCtx(context);
  return left != 0 || ZSTD_decompress(plain, sizeof plain, packed, size) != 5;
}
#elif defined(NINES_PROBE_SQLITE)
#include <sqlite3.h>
int main() {
  sqlite3* db = nullptr;
  return sqlite3_open(":memory:", &db) != SQLITE_OK || sqlite3_close(db) != SQLITE_OK;
}
#else
#include <string>
int main(int argc, char** argv) { return argc > 9 ? std::stoi(argv[1]) : 0; }
#endif
