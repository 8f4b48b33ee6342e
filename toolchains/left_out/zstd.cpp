// What of zstd's static library stays out of the program. Where the linker finds these here, it
// does not take the parts of the archive that hold them:
//   - compression beyond the fast strategy. We compress at level 1 (nines/stream), which is that
//     strategy whatever the size is (ZSTD_getCParams);
//   - decoders of formats before 0.8 (2016). Whoever sends or writes such frames gets "unknown
//     prefix", as for anything that is not zstd; so they are no way in for hostile bytes either.
// Parameters that are not looked at are not declared: the caller removes them in every ABI we have.
#include <zstd_errors.h>

#include <cstddef>
#include <cstdlib>

namespace {

constexpr size_t kUnknownPrefix = size_t{0} - ZSTD_error_prefix_unknown;
constexpr unsigned long long kNoSize = 0ULL - 2;  // ZSTD_CONTENTSIZE_ERROR
char g_no_decoder;

}  // namespace

// Never called: a level above 1 is a mistake of ours that must not go on to compress nothing.
#define NINES_SLOWER(name)             \
  extern "C" [[noreturn]] void name(); \
  void name() { std::abort(); }

NINES_SLOWER(ZSTD_compressBlock_btlazy2)
NINES_SLOWER(ZSTD_compressBlock_btlazy2_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_btlazy2_extDict)
NINES_SLOWER(ZSTD_compressBlock_btopt)
NINES_SLOWER(ZSTD_compressBlock_btopt_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_btopt_extDict)
NINES_SLOWER(ZSTD_compressBlock_btultra)
NINES_SLOWER(ZSTD_compressBlock_btultra2)
NINES_SLOWER(ZSTD_compressBlock_btultra_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_btultra_extDict)
NINES_SLOWER(ZSTD_compressBlock_doubleFast)
NINES_SLOWER(ZSTD_compressBlock_doubleFast_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_doubleFast_extDict)
NINES_SLOWER(ZSTD_compressBlock_greedy)
NINES_SLOWER(ZSTD_compressBlock_greedy_dedicatedDictSearch)
NINES_SLOWER(ZSTD_compressBlock_greedy_dedicatedDictSearch_row)
NINES_SLOWER(ZSTD_compressBlock_greedy_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_greedy_dictMatchState_row)
NINES_SLOWER(ZSTD_compressBlock_greedy_extDict)
NINES_SLOWER(ZSTD_compressBlock_greedy_extDict_row)
NINES_SLOWER(ZSTD_compressBlock_greedy_row)
NINES_SLOWER(ZSTD_compressBlock_lazy)
NINES_SLOWER(ZSTD_compressBlock_lazy2)
NINES_SLOWER(ZSTD_compressBlock_lazy2_dedicatedDictSearch)
NINES_SLOWER(ZSTD_compressBlock_lazy2_dedicatedDictSearch_row)
NINES_SLOWER(ZSTD_compressBlock_lazy2_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_lazy2_dictMatchState_row)
NINES_SLOWER(ZSTD_compressBlock_lazy2_extDict)
NINES_SLOWER(ZSTD_compressBlock_lazy2_extDict_row)
NINES_SLOWER(ZSTD_compressBlock_lazy2_row)
NINES_SLOWER(ZSTD_compressBlock_lazy_dedicatedDictSearch)
NINES_SLOWER(ZSTD_compressBlock_lazy_dedicatedDictSearch_row)
NINES_SLOWER(ZSTD_compressBlock_lazy_dictMatchState)
NINES_SLOWER(ZSTD_compressBlock_lazy_dictMatchState_row)
NINES_SLOWER(ZSTD_compressBlock_lazy_extDict)
NINES_SLOWER(ZSTD_compressBlock_lazy_extDict_row)
NINES_SLOWER(ZSTD_compressBlock_lazy_row)
NINES_SLOWER(ZSTD_dedicatedDictSearch_lazy_loadDictionary)
NINES_SLOWER(ZSTD_fillDoubleHashTable)
NINES_SLOWER(ZSTD_insertAndFindFirstIndex)
NINES_SLOWER(ZSTD_row_update)
NINES_SLOWER(ZSTD_updateTree)

#define NINES_REFUSES(name) \
  extern "C" size_t name(); \
  size_t name() { return kUnknownPrefix; }
#define NINES_MAKES_NONE(name) \
  extern "C" void* name();     \
  void* name() { return &g_no_decoder; }
#define NINES_FREES_NONE(name)   \
  extern "C" size_t name(void*); \
  size_t name(void*) { return 0; }
#define NINES_FINDS_NO_FRAME(name)                                            \
  extern "C" void name(const void*, size_t, size_t*, unsigned long long*);    \
  void name(const void*, size_t, size_t* packed, unsigned long long* bound) { \
    *packed = kUnknownPrefix;                                                 \
    *bound = kNoSize;                                                         \
  }
// The stream goes on by what it is told was made and taken, even then.
#define NINES_STREAMS_NONE(name)                                        \
  extern "C" size_t name(void*, void*, size_t*, const void*, size_t*);  \
  size_t name(void*, void*, size_t* made, const void*, size_t* taken) { \
    *made = 0;                                                          \
    *taken = 0;                                                         \
    return kUnknownPrefix;                                              \
  }
#define NINES_OLD_FORMAT(version)                                 \
  NINES_MAKES_NONE(ZSTDv0##version##_createDCtx)                  \
  NINES_FREES_NONE(ZSTDv0##version##_freeDCtx)                    \
  NINES_REFUSES(ZSTDv0##version##_decompress_usingDict)           \
  NINES_REFUSES(ZSTDv0##version##_getFrameParams)                 \
  NINES_FINDS_NO_FRAME(ZSTDv0##version##_findFrameSizeInfoLegacy) \
  NINES_MAKES_NONE(ZBUFFv0##version##_createDCtx)                 \
  NINES_FREES_NONE(ZBUFFv0##version##_freeDCtx)                   \
  NINES_REFUSES(ZBUFFv0##version##_decompressInitDictionary)      \
  NINES_STREAMS_NONE(ZBUFFv0##version##_decompressContinue)

NINES_OLD_FORMAT(5)
NINES_OLD_FORMAT(6)
NINES_OLD_FORMAT(7)
